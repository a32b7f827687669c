// Objects of the running stack are deleted behind Pulumi's back, and `anchorhold doctor --fix`
// brings back the same bytes. One by one: test/crash/deleted.test.ts.
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { beforeAll, describe, expect, test } from "vitest";
import { ObjectApi } from "../../cli/doctor/api.ts";
import { refOf, type KubeObject } from "../../cli/doctor/kubernetes.ts";
import { contents } from "../support/contents.ts";
import { doctor } from "./support/doctor.ts";
import { verifyLocal, describeStack } from "./support/stack.ts";

/** What a stack is made of; volumes take their data along, and no state could bring that back. */
const kinds: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["v1", "Secret"],
  ["v1", "ConfigMap"],
  ["v1", "Service"],
  ["v1", "ServiceAccount"],
  ["apps/v1", "Deployment"],
  ["batch/v1", "CronJob"],
  ["policy/v1", "PodDisruptionBudget"],
  ["networking.k8s.io/v1", "NetworkPolicy"],
  ["rbac.authorization.k8s.io/v1", "Role"],
  ["rbac.authorization.k8s.io/v1", "RoleBinding"],
];

/** Not of the stack, or made anew each time: the cluster's own, and Helm's records. */
const others = /^(kube-root-ca\.crt|default|sh\.helm\.release\..*|kubernetes)$/;

/** What was signed is lost with it, and is signed anew; the probe writes down what it still knows. */
const signedAnew = /^ConfigMap .*\/(tuf-timestamp|prober-memory)$/;

await describeStack("objects of a running stack that are deleted", ({ outputs }) => {
  let api: ObjectApi;
  let namespaces: string[];
  let before: Record<string, string>;

  async function all(): Promise<KubeObject[]> {
    const lists = namespaces.flatMap((namespace) =>
      kinds.map(([apiVersion, kind]) => api.list(apiVersion, kind, namespace)),
    );
    const objects = (await Promise.all(lists)).flat();
    return objects.filter(({ metadata }) => !others.test(metadata.name));
  }

  async function lasting(): Promise<Record<string, string>> {
    const everything = Object.entries(contents(await all()));
    return Object.fromEntries(everything.filter(([title]) => !signedAnew.test(title)));
  }

  async function deleteAndMend(objects: readonly KubeObject[]): Promise<void> {
    expect(objects.length).toBeGreaterThan(0);
    for (const object of objects) await api.delete(refOf(object));
    expect((await doctor()).code).toBe(1);
    expect(await doctor("--fix")).toMatchObject({ code: 0, faults: [], refused: [] });
    expect(await lasting()).toEqual(before);
  }

  beforeAll(async () => {
    const config = new KubeConfig();
    config.loadFromDefault();
    api = new ObjectApi(config);
    const { items } = await config.makeApiClient(CoreV1Api).listNamespace();
    namespaces = items
      .flatMap(({ metadata }) => metadata?.name ?? [])
      .filter((name) => name.startsWith(`${outputs.prefix}-`));
    before = await lasting();
  });

  describe("one in each service:", () => {
    test.each(kinds.map(([, kind]) => [kind]))("%s", async (kind) => {
      const objects = (await all()).filter((object) => object.kind === kind);
      const first = new Map(objects.toReversed().map((one) => [one.metadata.namespace, one]));
      await deleteAndMend([...first.values()]);
    });
  });

  test("all of them at once", async () => {
    await deleteAndMend(await all());
  });

  test("afterwards all is as anchorhold verify wants it", async () => {
    const { code, stdout } = await verifyLocal();
    expect(code, stdout).toBe(0);
  });
});
