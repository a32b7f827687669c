import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureTools } from "../../local/tools/index.ts";
import { commandBlocks } from "../support/commandBlocks.ts";
import { Cosign } from "./support/cosign.ts";
import { adminKubeconfig } from "./support/node.ts";
import { mustRun, run } from "./support/process.ts";
import { describeStack, probeIdentity, type Identity } from "./support/stack.ts";

const [writeDown, verify] = commandBlocks()
  .filter(({ file }) => file === "docs/migration.md")
  .map(({ text }) => text);

/** Where the chart's Job leaves the CT log's public key. */
const namespace = "ctlog-system";
const name = "ctlog-public-key";

await describeStack("docs/migration.md, the old trust", ({ outputs, cosign, crane }) => {
  let signer: Cosign;
  let verifier: Cosign;
  let identity: Identity;
  let core: CoreV1Api;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    identity = await probeIdentity(outputs);
    signer = await Cosign.initialize({ cosign, outputs });
    verifier = await Cosign.initialize({ cosign, outputs });
    writeFileSync(signer.path("old.txt"), `signed long ago ${Date.now()}\n`);
    await signer.sign("sign-blob", "old.txt", "--bundle", "old.sigstore.json");
    const config = new KubeConfig();
    config.loadFromFile(adminKubeconfig());
    core = config.makeApiClient(CoreV1Api);
    await core.createNamespace({ body: { metadata: { name: namespace } } });
    const { publicKeyPem } = outputs.records.ctLog["1"]!;
    const body = { metadata: { name }, stringData: { public: publicKeyPem } };
    await core.createNamespacedSecret({ namespace, body });
    const { kubernetes = "" } = await ensureTools(["kubernetes"], () => undefined);
    const { fulcio, rekor, tsa, ctLog } = outputs.services;
    env = {
      PATH: [dirname(cosign), dirname(crane), dirname(kubernetes), process.env["PATH"]].join(
        delimiter,
      ),
      HOME: verifier.home,
      KUBECONFIG: adminKubeconfig(),
      OLD_FULCIO: fulcio,
      OLD_REKOR: rekor,
      OLD_TSA: tsa,
      OLD_CTLOG: ctLog,
      OLD_START: "2024-01-01T00:00:00Z",
      SIGNER: identity.name,
      ISSUER: identity.issuer,
    };
  });
  afterAll(async () => {
    await core.deleteNamespace({ name: namespace });
    await signer.dispose();
    await verifier.dispose();
  });
  const sh = (text: string) => run("sh", ["-e", "-c", text], { cwd: verifier.home, env });

  test("the public halves of the running services are written down as one file", async () => {
    await mustRun("sh", ["-e", "-c", writeDown!], { cwd: verifier.home, env });
    const text = readFileSync(verifier.path("old-trusted-root.json"), "utf8");
    const root = JSON.parse(text) as Record<string, unknown[]>;
    for (const kind of ["tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities"])
      expect(root[kind], kind).toHaveLength(1);
  });

  test("with it, what was signed verifies without any mirror, and for its signer alone", async () => {
    for (const file of ["old.txt", "old.sigstore.json"])
      copyFileSync(signer.path(file), verifier.path(file));
    env = { ...env, TUF_ROOT: verifier.path("no-such-cache"), SIGSTORE_ROOT_FILE: "" };
    const good = await sh(verify!);
    expect(good.code, good.stderr).toBe(0);
    env = { ...env, SIGNER: `${identity.name}-2` };
    const other = await sh(verify!);
    expect(other.code).not.toBe(0);
    expect(other.stderr).toMatch(/expected SAN value/);
  });

  test("with an end before it was signed, it does not", async () => {
    env = { ...env, SIGNER: identity.name };
    const ended = writeDown!.replaceAll(
      "start-time=$OLD_START",
      "$&,end-time=2024-02-01T00:00:00Z",
    );
    await mustRun("sh", ["-e", "-c", ended], { cwd: verifier.home, env });
    const late = await sh(verify!);
    expect(late.code).not.toBe(0);
    expect(late.stderr).toMatch(/not enough verified log entries from transparency log: 0 < 1/);
  });
});
