import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { readFile, writeFile } from "node:fs/promises";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseDocument } from "yaml";
import type { StackOutputs } from "../../infra/outputs.ts";
import { leftovers } from "../../local/node/index.ts";
import { layout } from "../../local/node/layout.ts";
import { stackFile } from "../../local/stack/environment.ts";
import { as, Cosign } from "./support/cosign.ts";
import { isOurNode, whySkipped } from "./support/node.ts";
import {
  anchorholdVerify,
  describeStack,
  mustRun,
  projectRoot,
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

  test("a cosmetic edit: other names in future certificates, a label, replicas", async () => {
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

  // These two take the node in hand, so they need the one that `npm start` builds.
  test.skipIf(!isOurNode)(`a changed image${whySkipped}`, async () => {
    const edited = cosign.path("Pulumi.image.yaml");
    await writeFile(edited, await otherFulcioImage(await readFile(stackFile, "utf8")));
    try {
      const update = await pulumi("up", "--yes", "--skip-preview", "--config-file", edited);
      expect(update.code, update.stdout).toBe(0);
      expect(update.stdout).toMatch(/~ 1 updated/);
      await healthy(cosign.path("outputs.json"));
      await nothingChanged();
    } finally {
      const back = await pulumi("up", "--yes", "--skip-preview");
      expect(back.code, back.stdout).toBe(0);
    }
  });

  test.skipIf(!isOurNode)(`npm run down and npm start${whySkipped}`, async () => {
    await local("down");
    expect(await leftovers()).toEqual([]);
    await local("up");
    await nothingChanged();
  });
});

/** Runs a command of `local/cli.ts`, as the npm scripts do. */
async function local(command: string): Promise<void> {
  await mustRun(process.execPath, ["local/cli.ts", command], {
    cwd: projectRoot,
    limitMs: 500_000,
  });
}

/** Fulcio's image under another name: the same bytes, but another image to Kubernetes. */
async function otherFulcioImage(text: string): Promise<string> {
  const file = parseDocument(text);
  const place = ["config", "anchorhold:images", "fulcioServer"];
  const image = file.getIn(place) as string;
  const other = `${image.slice(0, image.lastIndexOf(":"))}:${randomBytes(16).toString("hex")}`;
  const ctr = ["--address", layout.containerdSocket, "--namespace", "k8s.io"];
  await mustRun("ctr", [...ctr, "images", "tag", image, other]);
  file.setIn(place, other);
  return file.toString();
}

/** Other names for the next CA and TSA, a label on every namespace, fewer and more replicas. */
function cosmeticEdit(text: string): string {
  const file = parseDocument(text);
  for (const kind of ["fulcioCa", "tsa"]) {
    file.setIn(["config", "anchorhold:subjects", kind, "commonName"], "edited by a test");
    file.setIn(["config", "anchorhold:subjects", kind, "organization"], "another");
  }
  file.setIn(["config", "anchorhold:replicas"], { tsa: 1, fulcio: 3 });
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
