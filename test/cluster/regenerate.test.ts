import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { writeFile } from "node:fs/promises";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StackOutputs } from "../../infra/outputs.ts";
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
    await deleteAllPods(start);
    await healthy(cosign.path("outputs.json"));
    await nothingChanged();
  });

  test("a preview shows no change, an update makes none", async () => {
    const preview = await pulumi("preview", "--expect-no-changes");
    expect(preview.stdout + preview.stderr).not.toMatch(/replace|create|delete/i);
    expect(preview.code).toBe(0);
    const update = await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    expect(update.stdout + update.stderr).toMatch(/unchanged/);
    expect(update.code).toBe(0);
    await nothingChanged();
    await healthy(cosign.path("outputs.json"));
  });
});

/** All that a client has ever been told to trust: keys, certificates, tree ids, first root. */
function identityOf({ records, initialRoot, mirror, revision }: StackOutputs) {
  return { records, initialRoot, rootSha256: mirror.rootSha256, revision };
}

/** Deletes the pods in all namespaces of the stack, which share the probe namespace's prefix. */
async function deleteAllPods({ probe }: StackOutputs): Promise<void> {
  const config = new KubeConfig();
  config.loadFromDefault();
  const core = config.makeApiClient(CoreV1Api);
  const prefix = probe.namespace.replace(/-[^-]+$/, "-");
  const { items } = await core.listNamespace();
  const names = items.flatMap((namespace) => namespace.metadata?.name ?? []);
  const ours = names.filter((name) => name.startsWith(prefix));
  expect(ours.length).toBeGreaterThanOrEqual(6);
  for (const namespace of ours) {
    await core.deleteCollectionNamespacedPod({ namespace, gracePeriodSeconds: 5 });
  }
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
