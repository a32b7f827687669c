import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { readFile, writeFile } from "node:fs/promises";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseDocument } from "yaml";
import type { StackOutputs } from "../../infra/outputs.ts";
import { stackFile } from "../../local/stack/environment.ts";
import { as, Cosign } from "./support/cosign.ts";
import {
  anchorholdVerify,
  describeStack,
  probeIdentity,
  pulumi,
  readOutputs,
  type Identity,
} from "./support/stack.ts";

await describeStack("nothing regenerates by itself", (stack) => {
  const start = stack.outputs;
  let cosign: Cosign;
  let identity: Identity;

  beforeAll(async () => {
    cosign = await Cosign.initialize(stack);
    identity = await probeIdentity(start);
    await writeFile(cosign.path("outputs.json"), JSON.stringify(start));
    await writeFile(cosign.path("blob"), randomBytes(64));
    await cosign.sign("sign-blob", "blob", "--bundle", "old.json");
  });
  afterAll(() => cosign.dispose());

  /** The client's cache is the one from the start; the bundle too. */
  async function oldBundleVerifies(): Promise<void> {
    const result = await cosign.run("verify-blob", "blob", "--bundle", "old.json", ...as(identity));
    expect(result.stderr).toMatch(/Verified OK/);
    await cosign.sign("sign-blob", "blob", "--bundle", "new.json");
  }

  async function nothingChanged(): Promise<void> {
    const now = await readOutputs();
    expect(identityOf(now)).toEqual(identityOf(start));
    await oldBundleVerifies();
  }

  test("every pod deleted", async () => {
    await replaceAllPods(start);
    await healthy(cosign.path("outputs.json"));
    await nothingChanged();
  });

  test("three updates without a change", async () => {
    const preview = await pulumi("preview", "--expect-no-changes");
    expect(preview.stderr).toBe("");
    expect(preview.code).toBe(0);
    for (let run = 1; run <= 3; run += 1) {
      const update = await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
      expect(update.stdout).toMatch(/unchanged/);
      expect(update.code).toBe(0);
      await nothingChanged();
    }
  });

  test("a cosmetic edit: other names in future certificates, a label", async () => {
    const edited = cosign.path("Pulumi.edited.yaml");
    await writeFile(edited, cosmeticEdit(await readFile(stackFile, "utf8")));
    const preview = await pulumi("preview", "--json", "--config-file", edited);
    const { steps } = JSON.parse(preview.stdout) as { steps: { op: string; urn: string }[] };
    const changes = steps
      .filter(({ op }) => op !== "same" && op !== "read")
      .map(({ op, urn }) => `${op} ${urn}`);
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.filter((change) => !change.startsWith("update "))).toEqual([]);
    try {
      const update = await pulumi("up", "--yes", "--skip-preview", "--config-file", edited);
      expect(update.code, update.stdout).toBe(0);
      await nothingChanged();
    } finally {
      const back = await pulumi("up", "--yes", "--skip-preview");
      expect(back.code, back.stdout).toBe(0);
    }
    await healthy(cosign.path("outputs.json"));
    await nothingChanged();
  });
});

/** New common names for the next CA and TSA, and one more label on every namespace. */
function cosmeticEdit(text: string): string {
  const file = parseDocument(text);
  for (const kind of ["fulcioCa", "tsa"]) {
    file.setIn(["config", "anchorhold:subjects", kind, "commonName"], "edited by a test");
  }
  file.setIn(["config", "anchorhold:labels"], { edited: "yes" });
  return file.toString();
}

/** All that a client has ever been told to trust: keys, certificates, tree ids, first root. */
function identityOf({ records, initialRoot, mirror, revision }: StackOutputs) {
  return { records, initialRoot, rootSha256: mirror.rootSha256, revision };
}

/** Deletes every pod in the stack's namespaces and waits until the last of them is gone. */
async function replaceAllPods({ probe }: StackOutputs): Promise<void> {
  const config = new KubeConfig();
  config.loadFromDefault();
  const core = config.makeApiClient(CoreV1Api);
  // The namespaces share the prefix of the probe's.
  const prefix = probe.namespace.replace(/-[^-]+$/, "-");
  const pods = async () =>
    (await core.listPodForAllNamespaces()).items.flatMap(({ metadata }) =>
      metadata?.namespace?.startsWith(prefix) ? [metadata] : [],
    );
  const old = await pods();
  expect(new Set(old.map(({ namespace }) => namespace)).size).toBeGreaterThanOrEqual(6);
  for (const namespace of new Set(old.map((pod) => pod.namespace ?? ""))) {
    await core.deleteCollectionNamespacedPod({ namespace, gracePeriodSeconds: 5 });
  }
  const gone = new Set(old.map(({ uid }) => uid));
  while ((await pods()).some(({ uid }) => gone.has(uid))) await sleep(1_000);
}

/** Waits until `anchorhold verify` passes; the last report tells why not. */
async function healthy(outputsFile: string): Promise<void> {
  const deadline = Date.now() + 300_000;
  for (;;) {
    const { code, stdout } = await anchorholdVerify("--outputs", outputsFile);
    if (code === 0) return;
    if (Date.now() > deadline) throw new Error(`not healthy after 5 minutes:\n${stdout}`);
    await sleep(3_000);
  }
}
