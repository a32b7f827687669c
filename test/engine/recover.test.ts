import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { recover } from "../../cli/recover/command.ts";
import { readLocks } from "../../cli/recover/lock.ts";
import { Engine } from "./support/engine.ts";
import { KubernetesApi } from "./support/kubernetesApi.ts";

/**
 * An update is killed with SIGKILL in the middle of an operation; then `anchorhold recover`, then
 * the same update again, which must go through.
 */
let engine: Engine;
let api: KubernetesApi;

beforeEach(async () => {
  engine = await Engine.create({ project: join(import.meta.dirname, "fixtures/recorded-program") });
  api = await KubernetesApi.serve(engine.cluster);
  for (const [name, value] of Object.entries(engine.environment)) vi.stubEnv(name, value);
  vi.stubEnv("KUBECONFIG", api.kubeconfig);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await api.close();
  await engine.close();
});

const lockFolder = () => {
  const all = join(engine.backend, ".pulumi/locks/organization");
  return join(all, readdirSync(all)[0] ?? "", "test");
};

interface Written {
  kind?: unknown;
  metadata?: unknown;
}

/**
 * Starts an update and stops it in the first write that fits, before or after the write has reached
 * the cluster.
 */
async function interrupted(
  action: "create" | "apply",
  fits: (object: Written) => boolean,
  when: "before" | "after",
): Promise<{ kill(): Promise<void> }> {
  const { cluster } = engine;
  const write = cluster[action].bind(cluster);
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  cluster[action] = async (object, options) => {
    if (!fits(object)) return write(object, options);
    if (when === "after") await write(object, options);
    resolve();
    return new Promise(() => undefined);
  };
  const update = engine.up();
  await Promise.race([reached, update.then((outcome) => expect.fail(outcome.stdout))]);
  cluster[action] = write;
  const [lock] = readLocks(lockFolder());
  // Without a number `kill` would reach this process itself, and all that it belongs to.
  if (!lock?.pid) throw new Error("the update has taken no lock");
  const { pid } = lock;
  return {
    kill: async () => {
      process.kill(pid, "SIGKILL");
      await update;
    },
  };
}

/** The one object of the program's Release. */
const ofHelm = ({ metadata }: Written) => (metadata as { name?: string }).name === "demo-web";

/** What `anchorhold recover` says, and whether it left nothing to do. */
async function recovered(options: { yes?: boolean; ownerIsGone?: boolean } = {}) {
  const lines: string[] = [];
  const done = await recover({ yes: false, ownerIsGone: false, ...options }, (line) =>
    lines.push(line),
  );
  return { done, text: lines.join("\n") };
}

const releaseRecords = async () =>
  (await engine.cluster.list({ apiVersion: "v1", kind: "Secret", namespace: "rec" }))
    .flatMap(({ metadata }) => (metadata as { labels?: { status?: string } }).labels?.status ?? [])
    .sort();

test("killed while Helm upgraded: without it updates fail, with it they go on", async () => {
  (await engine.up()).expectSuccess();
  engine.setConfig({ "rec:note": "b" });
  const update = await interrupted("apply", ofHelm, "before");
  await expect(recovered({ yes: true })).rejects.toThrow(/that process still runs\. Wait for it/);
  await update.kill();
  expect(await releaseRecords()).toEqual(["deployed", "pending-upgrade"]);
  expect((await engine.up()).stderr).toContain("the stack is currently locked");

  const dry = await recovered();
  expect(dry.done).toBe(false);
  expect(dry.text).toMatch(/that process has ended: free it/);
  expect(dry.text).toMatch(/release rec\/demo: revision 2 is pending-upgrade.*revision 1 counts/);
  expect(dry.text).toMatch(/::demo: was updating/);
  expect(await releaseRecords()).toEqual(["deployed", "pending-upgrade"]);
  expect(readLocks(lockFolder())).toHaveLength(1);

  expect((await recovered({ yes: true })).done).toBe(true);
  expect(await releaseRecords()).toEqual(["deployed"]);
  const again = (await engine.up()).expectSuccess();
  expect(again.ops("demo")).toEqual(["update"]);
  expect(again.stdout).not.toContain("pending operations");
  const second = await recovered();
  expect([second.done, second.text.split("\n").at(-1)]).toEqual([
    true,
    "Nothing to do: no lock, no release and no operation is left half done.",
  ]);
});

test("killed while a Secret was made under a name of its own: the orphan is named", async () => {
  (await engine.up()).expectSuccess();
  engine.setConfig({ "rec:note": "b" });
  const made: string[] = [];
  const isKey = (object: Written) => {
    const { name = "" } = object.metadata as { name?: string };
    if (object.kind !== "Secret" || !name.startsWith("key-")) return false;
    made.push(name);
    return true;
  };
  const update = await interrupted("create", isKey, "after");
  await update.kill();
  const { text } = await recovered({ yes: true });
  expect(text).toContain(`kubectl delete secret --namespace rec ${made[0]}`);
  expect(text).toMatch(/::key: was creating/);
  (await engine.up()).expectSuccess();
  // It stays until a person removes it, and so stays named.
  expect((await recovered()).text).toContain(made[0]);
  const ref = { apiVersion: "v1", kind: "Secret", namespace: "rec", name: made[0] ?? "" };
  await engine.cluster.delete(ref);
  expect((await recovered()).text).not.toContain("kubectl");
});

test("killed while Helm installed for the first time: the next update takes over what is there", async () => {
  const update = await interrupted("create", ofHelm, "after");
  await update.kill();
  expect(await releaseRecords()).toEqual(["pending-install"]);
  const { done, text } = await recovered({ yes: true });
  expect(done).toBe(true);
  expect(text).toMatch(/revision 1 is pending-install, which .* the next update installs/);
  expect(text).not.toContain("kubectl"); // what the killed Helm made is no orphan
  const again = (await engine.up()).expectSuccess();
  expect(again.ops("demo")).toEqual(["create"]);
  expect(await releaseRecords()).toEqual(["deployed"]);
});

test("killed while an object with a name of the program's was made: the state is told", async () => {
  const isNamespace = ({ kind }: Written) => kind === "Namespace";
  const update = await interrupted("create", isNamespace, "after");
  await update.kill();
  const { text } = await recovered({ yes: true });
  expect(text).toMatch(/::rec is in the cluster, and now in the state/);
  const again = (await engine.up()).expectSuccess();
  expect(again.changes.find(({ type }) => type.endsWith(":Namespace"))?.op).toBe("update");
  expect((await engine.up()).expectSuccess().changes).toEqual([]);
});
