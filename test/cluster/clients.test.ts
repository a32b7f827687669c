import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { oneLine } from "../../cli/errors.ts";
import { as, Cosign } from "./support/cosign.ts";
import { expectEvidence } from "./support/evidence.ts";
import { SigstoreJs } from "./support/js.ts";
import { signElsewhere } from "./support/otherInstance.ts";
import type { Run } from "./support/process.ts";
import { SigstorePython } from "./support/python.ts";
import { describeStack, newToken, probeIdentity, type Identity } from "./support/stack.ts";

const verified = "verified";

/** One client family, as the matrix sees it: files in, files out. */
interface Client {
  name: string;
  sign(blob: string, bundle: string): Promise<void>;
  /** "verified", or why not. */
  verify(blob: string, bundle: string, who: Identity): Promise<string>;
  /** How this client says no to each kind of wrong. */
  refusals: Record<"blob" | "name" | "issuer" | "instance", RegExp>;
}

const outcome = ({ code, stdout, stderr }: Run) => (code === 0 ? verified : stdout + stderr);

await describeStack("client families, by discovery alone", (stack) => {
  let cosign: Cosign;
  let js: SigstoreJs;
  let python: SigstorePython;
  let identity: Identity;
  const clients: Client[] = [
    {
      name: "cosign",
      sign: async (blob, bundle) => void (await cosign.sign("sign-blob", blob, "--bundle", bundle)),
      verify: async (blob, bundle, who) =>
        outcome(await cosign.run("verify-blob", blob, "--bundle", bundle, ...as(who))),
      refusals: {
        blob: /invalid signature/,
        name: /expected SAN value/,
        issuer: /expected issuer value/,
        instance: /not enough verified log entries/,
      },
    },
    {
      name: "sigstore-js",
      sign: async (blob, bundle) => writeFile(bundle, await js.sign(await readFile(blob))),
      verify: async (blob, bundle, who) =>
        js
          .verify(await readFile(blob), await readFile(bundle, "utf8"), who)
          .then(() => verified, oneLine),
      refusals: {
        blob: /signature verification failed/,
        name: /certificate identity error/,
        issuer: /invalid certificate extension/,
        instance: /timestamp could not be verified/,
      },
    },
    {
      name: "sigstore-python",
      sign: (blob, bundle) => python.sign(blob, bundle),
      verify: async (blob, bundle, { name, issuer }) => {
        const who = ["--cert-identity", name, "--cert-oidc-issuer", issuer];
        const args = ["verify", "identity", "--bundle", bundle, ...who, blob];
        return outcome(await python.run(...args));
      },
      refusals: {
        blob: /Bundle message digest mismatch/,
        name: /SANs do not match/,
        issuer: /Issuer does not match/,
        instance: /failed to build timestamp certificate chain/,
      },
    },
  ];

  beforeAll(async () => {
    cosign = await Cosign.initialize(stack);
    js = await SigstoreJs.start(stack);
    python = await SigstorePython.trustInstance(stack);
    identity = await probeIdentity(stack.outputs);
  });
  afterAll(async () => {
    await Promise.all([cosign, js, python].map((client) => client.dispose()));
  });

  describe.each(clients)("a bundle of $name", (signer) => {
    const file = (name: string) => cosign.path(`${signer.name}-${name}`);
    beforeAll(async () => {
      await writeFile(file("blob"), randomBytes(64));
      await writeFile(file("other"), randomBytes(64));
      await signer.sign(file("blob"), file("bundle.json"));
    });

    test("carries SCT, inclusion proof and timestamp", async () => {
      expectEvidence(await readFile(file("bundle.json"), "utf8"), stack.outputs);
    });

    test.each(clients)("verifies in $name, and only as it is", async (verifier) => {
      const bundle = file("bundle.json");
      const verify = (blob: string, change: Partial<Identity> = {}) =>
        verifier.verify(file(blob), bundle, { ...identity, ...change });
      const { refusals } = verifier;
      expect(await verify("blob")).toBe(verified);
      expect(await verify("other")).toMatch(refusals.blob);
      expect(await verify("blob", { name: "https://example.test/no" })).toMatch(refusals.name);
      expect(await verify("blob", { issuer: "https://example.test" })).toMatch(refusals.issuer);
    });
  });

  test.each(clients)("a good bundle of another instance is refused by $name", async (client) => {
    const [blob, bundle] = [cosign.path("blob"), cosign.path("elsewhere.json")];
    await writeFile(blob, randomBytes(64));
    await writeFile(
      bundle,
      await signElsewhere(await readFile(blob), await newToken(stack.outputs)),
    );
    expect(await client.verify(blob, bundle, identity)).toMatch(client.refusals.instance);
  });
});
