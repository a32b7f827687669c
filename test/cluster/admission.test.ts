// Signed images at a cluster's door: policy-controller itself, with what `anchorhold admission` prints,
// judges pods whose images the running stack has signed. Nothing runs them.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as YAML from "yaml";
import type { ImagePolicy } from "../../cli/admission/policy.ts";
import type { StackOutputs } from "../../infra/outputs.ts";
import { trusted } from "../../infra/trust/trusted.ts";
import { trustedRoot } from "../../infra/trust/trustedRoot.ts";
import { Mirror } from "../support/mirror.ts";
import { PublishingStack } from "../support/tufYears.ts";
import { fulcioCaRecord } from "../unit/trust/fixture.ts";
import { Cosign } from "./support/cosign.ts";
import { startGuardedServer, type GuardedServer } from "./support/policyController.ts";
import { mustRun } from "./support/process.ts";
import { startRegistry, type Registry } from "./support/registry.ts";
import { describeStack, probeIdentity, projectRoot } from "./support/stack.ts";

await describeStack("policy-controller with what `anchorhold admission` prints", (stack) => {
  let folder: string;
  let server: GuardedServer;
  let registry: Registry;
  let cosign: Cosign;
  let signer: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "anchorhold-admission-"));
    const root = join(folder, "root.json");
    await writeFile(root, stack.outputs.initialRoot);
    // Its own root is the stack's; TrustRoots stand beside it.
    server = await startGuardedServer(
      `--tuf-mirror=${stack.outputs.mirror.url}`,
      `--tuf-root=${root}`,
    );
    registry = await startRegistry(stack.crane);
    cosign = await Cosign.initialize(stack);
    const { issuer, name } = await probeIdentity(stack.outputs);
    signer = `${issuer} ${name}`;
    const labels = { "policy.sigstore.dev/include": "true" };
    await apply([
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "guarded", labels } },
      {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "default", namespace: "guarded" },
      },
    ]);
  });
  afterAll(async () => {
    await cosign?.dispose();
    await registry?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function apply(objects: object[]): Promise<void> {
    const { code, stdout, stderr } = await server.kubectl(
      ["apply", "--server-side", "--validate=strict"],
      objects,
    );
    expect({ code, said: code === 0 ? "" : `${stdout}${stderr}` }).toEqual({ code: 0, said: "" });
  }

  /** What the command prints for a stack with these outputs. */
  async function printed(changes: Partial<StackOutputs>, ...args: string[]): Promise<object[]> {
    const outputs = { ...stack.outputs, ...changes };
    const file = join(folder, `${outputs.prefix}.json`);
    await writeFile(file, JSON.stringify(outputs));
    const command = ["cli/main.ts", "admission", "--outputs", file, ...args];
    const text = await mustRun(process.execPath, command, { cwd: projectRoot });
    return YAML.parseAllDocuments(text).map((document) => document.toJS() as object);
  }

  /** Applies it, and waits until policy-controller has taken it. */
  async function guard(...given: Parameters<typeof printed>): Promise<void> {
    await apply(await printed(...given));
    await taken();
  }

  async function taken(): Promise<void> {
    const kinds = "clusterimagepolicies,trustroots";
    const wait = ["wait", "--for=condition=Ready", "--all", "--timeout=60s", kinds];
    const { code, stderr } = await server.kubectl(wait);
    expect(code, `${stderr}${server.said()}`).toBe(0);
  }

  /** What becomes of a pod with this image: "admitted", or the refusal. */
  async function verdict(image: string): Promise<string> {
    const spec = { containers: [{ name: "main", image }] };
    const metadata = { name: "some", namespace: "guarded" };
    const pod = { apiVersion: "v1", kind: "Pod", metadata, spec };
    const { code, stderr } = await server.kubectl(["create", "--dry-run=server"], [pod]);
    return code === 0 ? "admitted" : stderr;
  }
  /** Its verdict, once what was applied has reached it. */
  const soon = (image: string) =>
    expect.poll(() => verdict(image), { timeout: 30_000, interval: 500 });

  async function signed(name: string): Promise<string> {
    const image = await registry.push(name);
    await cosign.sign("sign", image);
    return image;
  }

  describe.each([
    ["a TrustRoot of the mirror", "mirror", []],
    ["a TrustRoot with the repository in it", "carried", ["--air-gapped"]],
    ["its own root", "own", ["--controller-root"]],
  ] as const)("by %s", (_what, prefix, args) => {
    beforeAll(async () => {
      const given = (who: string, by: string) =>
        [...args, "--image", `${registry.host}/${prefix}/${who}/**`, "--signer", by] as const;
      await guard({ prefix }, ...given("right", signer));
      await guard({ prefix }, ...given("wrong", `${signer}-2`), "--name", `${prefix}-wrong`);
    });

    test("admits an image that the right identity has signed", async () => {
      await soon(await signed(`${prefix}/right/app`)).toBe("admitted");
    });

    test("refuses one that another identity has signed", async () => {
      await soon(await signed(`${prefix}/wrong/app`)).toMatch(/expected SAN value/);
    });

    test("refuses one that nobody has signed", async () => {
      await soon(await registry.push(`${prefix}/right/unsigned`)).toMatch(/no valid bundles exist/);
    });
  });

  // docs/admission.md says so of this version. A newer one that passes here needs no such policies.
  test("a policy that asks a TrustRoot for SCT and log entry refuses what has both", async () => {
    const image = await signed("logged/app");
    const glob = `${registry.host}/logged/**`;
    const [root, policy] = (await printed(
      { prefix: "logged" },
      ...["--image", glob, "--signer", signer],
    )) as [object, ImagePolicy];
    const trustRootRef = "logged";
    const authorities = policy.spec.authorities.map((authority) => ({
      ...authority,
      keyless: { ...authority.keyless, insecureIgnoreSCT: false },
      rfc3161timestamp: undefined,
      ctlog: { trustRootRef },
    }));
    await apply([root, { ...policy, spec: { ...policy.spec, authorities } }]);
    await taken();
    await soon(image).toMatch(/transparency log: 0 < 1|able to verify 0 SCT entries/);
  });

  test("an image that no policy is for is refused", async () => {
    await soon(await signed("elsewhere/app")).toMatch(/no matching policies/);
  });

  describe("while a CA is replaced", () => {
    const mirror = new Mirror();
    let publishing: PublishingStack;
    let image: string;
    beforeAll(async () => {
      await mirror.open();
      publishing = new PublishingStack(mirror);
      image = await signed("rotation/app");
    });
    afterAll(() => mirror.close());

    /** Publishes the stack's trust with a second CA, and the end of the first one's window. */
    async function publish(end?: Date): Promise<void> {
      const { records, life } = stack.outputs;
      const trust = trusted(records, life);
      const first = end === undefined ? {} : { end: `${end.toISOString().slice(0, 19)}Z` };
      const [active, ...others] = trust.fulcioCa;
      const second = { ...(await fulcioCaRecord(2)), generation: 99 };
      const fulcioCa = [{ ...active!, ...first }, ...others, second];
      // What comes before it makes the archive longer than one read of policy-controller.
      const content = trustedRoot({ ...trust, fulcioCa });
      const long = ["a", "b"].map((name) => ({
        name: `${name}.txt`,
        content: name.repeat(20_000),
      }));
      publishing.publish([...long, { name: "trusted_root.json", content }]);
    }

    const guardRotation = (revision: string, prefix: string, ...args: string[]) =>
      guard(
        {
          prefix,
          revision,
          initialRoot: publishing.firstRoot,
          mirror: { ...stack.outputs.mirror, url: mirror.url },
        },
        ...[...args, "--image", `${registry.host}/rotation/**`, "--signer", signer],
      );

    test("signatures of the first one are admitted beside the second", async () => {
      await publish();
      await guardRotation("1".repeat(64), "rotation");
      await soon(image).toBe("admitted");
    });

    test("a window that has ended is known as soon as the new revision is applied", async () => {
      await publish(new Date(Date.now() - 3_600_000));
      await guardRotation("2".repeat(64), "rotation");
      await soon(image).toMatch(/leaf certificate/);
    });

    test("and so it is in an archive of more than 32 KiB", async () => {
      await publish();
      await guardRotation("3".repeat(64), "rotation", "--air-gapped");
      await soon(image).toBe("admitted");
    });
  });

  describe("it does look at what it is given", () => {
    const head = { apiVersion: "policy.sigstore.dev/v1alpha1", kind: "TrustRoot" };
    const root = Buffer.from("{}").toString("base64");
    const [remote, repository] = [
      { mirror: "https://tuf.example.test", root },
      { mirrorFS: root, root },
    ];
    test.each([
      ["a field that there is not", { mirrors: [] }, /unknown field "mirrors"/],
      ["two roots", { remote, repository }, /expected exactly one, got both/],
      ["no root", {}, /expected exactly one, got neither/],
    ])("it refuses a TrustRoot with %s", async (_what, spec, expected) => {
      const strict = ["create", "--validate=strict", "--dry-run=server"];
      const objects = [{ ...head, metadata: { name: "bad" }, spec }];
      const { code, stderr } = await server.kubectl(strict, objects);
      expect(stderr).toMatch(expected);
      expect(code).not.toBe(0);
    });
  });
});
