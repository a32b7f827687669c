import { join } from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { MemoryCluster } from "../../local/pulumi/kubernetes/memoryCluster.ts";
import { MemoryHelm } from "../../local/pulumi/kubernetes/memoryHelm.ts";
import { refOf } from "../../local/pulumi/kubernetes/cluster.ts";
import { objectAt, textAt, type Props } from "../../local/pulumi/values.ts";
import { findHelm } from "./support/helm.ts";
import { labelled } from "./support/pods.ts";

let helm: string;
let cluster: MemoryCluster;

beforeAll(async () => {
  helm = await findHelm();
});

beforeEach(() => {
  cluster = new MemoryCluster();
});

const options = { skipAwait: true };
const release = {
  name: "demo",
  namespace: "default",
  chart: join(import.meta.dirname, "fixtures/recorded-program/chart"),
  version: "",
  values: { note: "a", secretName: "s" },
  options,
};

function memoryHelm(on = cluster): MemoryHelm {
  return new MemoryHelm({ helm, cwd: import.meta.dirname, env: process.env }, on);
}

/** Helm's Secrets with what their labels say of them. */
async function records(): Promise<[Props, string][]> {
  const secrets = await cluster.list({ apiVersion: "v1", kind: "Secret", namespace: "default" });
  return labelled(secrets, { owner: "helm" }).map((secret) => [
    secret,
    textAt(secret, "metadata", "labels", "status"),
  ]);
}

function deployment(): Props | undefined {
  return cluster.all().find(({ kind }) => kind === "Deployment");
}

/** Ends the connection right before Helm says that the release is deployed. */
async function killed(act: (helm: MemoryHelm) => Promise<unknown>): Promise<void> {
  let dead = false;
  const connection = new Proxy(cluster, {
    get: (target, key) => {
      if (dead) throw new Error("dead");
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        dead = key === "put" && /"deployed"/.test(JSON.stringify(args));
        if (dead) throw new Error("dead");
        return (value as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  await expect(act(memoryHelm(connection))).rejects.toThrow("dead");
}

test("an install that is killed leaves all objects and a pending release", async () => {
  await killed((dying) => dying.install(release));
  expect((await records()).map(([, status]) => status)).toEqual(["pending-install"]);
  expect(deployment()).toBeDefined();
  await expect(memoryHelm().install(release)).rejects.toThrow(
    "cannot re-use a name that is still in use",
  );
});

test("without its record the release is installed again, over its own objects", async () => {
  await killed((dying) => dying.install(release));
  const before = deployment();
  for (const [secret] of await records()) await cluster.delete(refOf(secret));
  await memoryHelm().install(release);
  expect(deployment()?.["spec"]).toEqual(before?.["spec"]);
  expect(objectAt(deployment(), "metadata")["uid"]).toBe(objectAt(before, "metadata")["uid"]);
});

test("an upgrade that is killed blocks the next until the pending record is gone", async () => {
  await memoryHelm().install(release);
  const changed = { ...release, values: { ...release.values, note: "b" } };
  await killed((dying) => dying.upgrade(changed));
  expect((await records()).map(([, status]) => status)).toEqual(["superseded", "pending-upgrade"]);
  await expect(memoryHelm().upgrade(changed)).rejects.toThrow(
    "another operation (install/upgrade/rollback) is in progress",
  );
  for (const [secret, status] of await records())
    if (status === "pending-upgrade") await cluster.delete(refOf(secret));
  expect(await memoryHelm().upgrade(changed)).toMatchObject({ revision: 2, status: "deployed" });
});

test("an object of somebody else is refused, and nothing is recorded", async () => {
  const metadata = { name: "demo-web", namespace: "default" };
  cluster.put({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec: {} });
  await expect(memoryHelm().install(release)).rejects.toThrow(
    'Deployment "demo-web" in namespace "default" exists and cannot be imported',
  );
  expect(await records()).toEqual([]);
});
