import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { as, Cosign, initializeArgs } from "./support/cosign.ts";
import { expectEvidence } from "./support/evidence.ts";
import { signElsewhere } from "./support/otherInstance.ts";
import { startRegistry, type Registry } from "./support/registry.ts";
import { describeStack, newToken, probeIdentity, type Identity } from "./support/stack.ts";

await describeStack("cosign, by discovery alone", (stack) => {
  let cosign: Cosign;
  let identity: Identity;
  beforeAll(async () => {
    cosign = await Cosign.initialize(stack);
    identity = await probeIdentity(stack.outputs);
  });
  afterAll(() => cosign.dispose());

  test("a wrong checksum of the first root is refused", async () => {
    const args = initializeArgs(stack.outputs);
    const wrong = await cosign.run(...args.slice(0, -1), "0".repeat(64));
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toMatch(/checksum/);
    expect((await cosign.run(...args)).code).toBe(0);
  });

  describe("a blob", () => {
    beforeAll(async () => {
      await writeFile(cosign.path("blob"), randomBytes(64));
      await cosign.sign("sign-blob", "blob", "--bundle", "blob.json");
    });
    const verify = (who: Identity, blob = "blob", bundle = "blob.json") =>
      cosign.run("verify-blob", blob, "--bundle", bundle, ...as(who));

    test("verifies", async () => {
      const result = await verify(identity);
      expect(result.stderr).toMatch(/Verified OK/);
      expect(result.code).toBe(0);
    });

    test("its bundle carries SCT, inclusion proof and timestamp", async () => {
      expectEvidence(await readFile(cosign.path("blob.json"), "utf8"), stack.outputs);
    });

    test("another identity is refused", async () => {
      const result = await verify({ ...identity, name: `${identity.name}-2` });
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/expected SAN value/);
    });

    test("another issuer is refused", async () => {
      const result = await verify({ ...identity, issuer: "https://issuer.example.test" });
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/expected issuer value/);
    });

    test("a changed blob is refused", async () => {
      await writeFile(cosign.path("changed"), randomBytes(64));
      const result = await verify(identity, "changed");
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/invalid signature/);
    });

    test("a good bundle of another instance is refused", async () => {
      const blob = await readFile(cosign.path("blob"));
      const bundle = await signElsewhere(blob, await newToken(stack.outputs));
      await writeFile(cosign.path("elsewhere.json"), bundle);
      const result = await verify(identity, "blob", "elsewhere.json");
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/not enough verified log entries from transparency log: 0 < 1/);
    });
  });

  describe("an image in a local registry", () => {
    let registry: Registry;
    let image: string;
    beforeAll(async () => {
      registry = await startRegistry(stack.crane);
      image = await registry.push("app");
      await cosign.sign("sign", image);
    });
    afterAll(() => registry.close());

    test("verifies for its identity and issuer", async () => {
      const result = await cosign.run("verify", image, ...as(identity));
      expect(result.stderr).toMatch(/The code-signing certificate was verified/);
      expect(result.code).toBe(0);
      expect(result.stdout).toContain(image.split("@")[1]);
    });

    test("its bundle carries SCT, inclusion proof and timestamp", async () => {
      expectEvidence(await bundleOf(image), stack.outputs);
    });

    test.each([
      ["identity", (who: Identity) => ({ ...who, name: `${who.name}-2` }), /expected SAN value/],
      [
        "issuer",
        (who: Identity) => ({ ...who, issuer: "https://issuer.example.test" }),
        /expected issuer value/,
      ],
    ])("another %s is refused", async (_kind, change, reason) => {
      const result = await cosign.run("verify", image, ...as(change(identity)));
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(reason);
    });

    test("an image that nobody signed is refused", async () => {
      const result = await cosign.run("verify", await registry.push("unsigned"), ...as(identity));
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/no signatures found/);
    });

    test.each([
      ["spdxjson", spdx],
      ["cyclonedx", cycloneDx],
    ])("an attestation of type %s verifies, of another type not", async (type, document) => {
      await writeFile(cosign.path(`${type}.json`), JSON.stringify(document));
      const target = await registry.push(`attested-${type}`);
      await cosign.sign("attest", target, "--type", type, "--predicate", `${type}.json`);
      const verify = (kind: string, who = identity) =>
        cosign.run("verify-attestation", target, "--type", kind, ...as(who));
      const result = await verify(type);
      expect(result.stderr).toMatch(/The code-signing certificate was verified/);
      expect(result.code).toBe(0);
      expectEvidence(await bundleOf(target), stack.outputs);
      const otherType = await verify("slsaprovenance1");
      expect(otherType.code).not.toBe(0);
      expect(otherType.stderr).toMatch(/none of the attestations matched the predicate type/);
      const nobody = await verify(type, { ...identity, name: "nobody" });
      expect(nobody.code).not.toBe(0);
      expect(nobody.stderr).toMatch(/expected SAN value "nobody"/);
    });
  });
});

/** The bundle that cosign stored beside an image, as an OCI referrer of it (OCI 1.1). */
async function bundleOf(image: string): Promise<string> {
  const [, host, name, digest] = /^([^/]+)\/([^@:]+)(?::[^@]+)?@(sha256:.+)$/.exec(image)!;
  const base = `http://${host}/v2/${name}`;
  const index = await manifest(`${base}/manifests/${digest!.replace(":", "-")}`);
  const [referrer, ...others] = index.manifests ?? [];
  expect(others).toEqual([]);
  const { layers = [] } = await manifest(`${base}/manifests/${referrer!.digest}`);
  return await (await fetch(`${base}/blobs/${layers[0]!.digest}`)).text();
}

interface Manifest {
  manifests?: { digest: string }[];
  layers?: { digest: string }[];
}

async function manifest(url: string): Promise<Manifest> {
  const response = await fetch(url, {
    headers: {
      Accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json",
    },
  });
  expect(response.status, url).toBe(200);
  return (await response.json()) as Manifest;
}

const spdx = {
  spdxVersion: "SPDX-2.3",
  dataLicense: "CC0-1.0",
  SPDXID: "SPDXRef-DOCUMENT",
  name: "app",
  documentNamespace: "https://example.test/spdx/app-1",
  creationInfo: { created: "2026-01-01T00:00:00Z", creators: ["Tool: anchorhold-test"] },
  packages: [
    {
      SPDXID: "SPDXRef-Package-app",
      name: "app",
      versionInfo: "1",
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
    },
  ],
  relationships: [
    {
      spdxElementId: "SPDXRef-DOCUMENT",
      relationshipType: "DESCRIBES",
      relatedSpdxElement: "SPDXRef-Package-app",
    },
  ],
};

const cycloneDx = {
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  serialNumber: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
  version: 1,
  components: [{ type: "library", name: "app", version: "1" }],
};
