import { describe, expect, test } from "vitest";
import {
  actionArguments,
  helmMessage,
  type ReleaseSpec,
} from "../../../local/pulumi/kubernetes/helm.ts";
import { annotateSecrets, assignName, normalize } from "../../../local/pulumi/kubernetes/inputs.ts";
import { liveChanges, liveInputs } from "../../../local/pulumi/kubernetes/liveDiff.ts";
import { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import { Objects } from "../../../local/pulumi/kubernetes/objects.ts";
import { podReasons } from "../../../local/pulumi/kubernetes/readiness.ts";
import { transferFields } from "../../../local/pulumi/kubernetes/realCluster.ts";
import { resourceNames } from "../../../local/pulumi/kubernetes/release.ts";
import { InitializationError } from "../../../local/pulumi/initFailure.ts";
import { secret, UNKNOWN, type Props } from "../../../local/pulumi/values.ts";

const named = (name: string, more: Props = {}): Props => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default" },
  ...more,
});

describe("inputs", () => {
  test("stringData becomes data, as the server would store it", () => {
    const object = {
      apiVersion: "v1",
      kind: "Secret",
      stringData: { a: "x" },
      data: { b: "eQ==" },
    };
    expect(normalize(object)).toMatchObject({ data: { a: "eA==", b: "eQ==" } });
    expect(normalize(object)).not.toHaveProperty("stringData");
    const unknown = { ...object, stringData: { a: UNKNOWN } };
    expect(normalize(unknown)).toMatchObject({ stringData: { a: UNKNOWN } });
  });

  test("an unnamed object is named once and then keeps its name", () => {
    const object = { apiVersion: "v1", kind: "Secret", metadata: {} };
    const first = assignName(object, {}, "key", Buffer.from("seed"));
    expect(first["metadata"]).toEqual({
      name: expect.stringMatching(/^key-[0-9a-f]{8}$/) as string,
      annotations: { "pulumi.com/autonamed": "true" },
    });
    expect(assignName(object, first, "key", Buffer.from("other"))).toEqual(first);
    const unknown = { ...object, metadata: { name: UNKNOWN } };
    expect(assignName(unknown, {}, "key", Buffer.from("seed"))).toEqual(unknown);
  });

  test("secret marks follow values, and a Secret's data is secret anyway", () => {
    expect(annotateSecrets({ a: { b: 1, c: 2 } }, { a: { b: secret(1), c: 2 } })).toEqual({
      a: { b: secret(1), c: 2 },
    });
    expect(annotateSecrets({ list: [1, 2] }, { list: [1, secret(2)] })).toEqual({
      list: secret([1, 2]),
    });
    const kind = { apiVersion: "v1", kind: "Secret", data: { a: "eA==" } };
    expect(annotateSecrets(kind, {})["data"]).toEqual(secret({ a: "eA==" }));
  });
});

describe("what has to change in a live object", () => {
  const inputs = { spec: { hostNetwork: false, args: [], limits: { memory: "1024Mi" } } };
  const live = { spec: { limits: { memory: "1Gi" }, dnsPolicy: "ClusterFirst" } };

  test("not what the server only writes otherwise", () => {
    expect(liveChanges(live, inputs, inputs)).toEqual([]);
    expect(liveInputs(live, inputs)).toEqual({
      spec: { hostNetwork: false, args: [], limits: { memory: "1Gi" } },
    });
  });

  test("but a zero value that the program did not set before", () => {
    const before = { spec: { limits: { memory: "1024Mi" } } };
    const now = { spec: { ...before.spec, automountServiceAccountToken: false } };
    expect(liveChanges(live, before, now)).toMatchObject([
      { path: ["spec", "automountServiceAccountToken"], kind: "ADD" },
    ]);
  });

  test("and what somebody else has changed", () => {
    const drifted = { spec: { limits: { memory: "2Gi" } } };
    expect(liveChanges(drifted, inputs, inputs)).toMatchObject([
      { path: ["spec", "limits", "memory"], kind: "UPDATE", old: "2Gi", new: "1024Mi" },
    ]);
  });
});

test("fields that create wrote go to the manager of server-side apply", () => {
  const entry = (manager: string, operation: string, fieldsV1: Props): Props => ({
    ...{ manager, operation, fieldsV1 },
  });
  const others = entry("kubelet", "Update", { "f:status": {} });
  const moved = transferFields(
    [
      entry("pulumi-kubernetes", "Update", { "f:data": { "f:a": {} } }),
      others,
      entry("mine", "Apply", { "f:data": { "f:b": {} } }),
    ],
    "mine",
  );
  expect(moved).toEqual([entry("mine", "Apply", { "f:data": { "f:a": {}, "f:b": {} } }), others]);
});

describe("helm", () => {
  const spec: ReleaseSpec = {
    name: "demo",
    namespace: "ns",
    chart: "./chart",
    version: "1.2.3",
    values: { password: "hunter2" },
    options: { waitForJobs: true, atomic: true, timeout: 60, maxHistory: 3, postrender: "./pr" },
  };

  test("values go in by standard input, never on the command line", () => {
    const args = actionArguments("upgrade", spec);
    expect(args.join(" ")).not.toContain("hunter2");
    expect(args).toEqual([
      ...["upgrade", "demo", "./chart", "--namespace", "ns", "--output", "json", "--values", "-"],
      ...["--timeout", "60s", "--wait", "--wait-for-jobs", "--history-max", "3"],
      ...["--post-renderer", "./pr", "--atomic"],
    ]);
  });

  test("skipAwait waits for nothing", () => {
    const args = actionArguments("install", {
      ...spec,
      options: { skipAwait: true, waitForJobs: true },
    });
    expect(args).not.toContain("--wait");
    expect(args).not.toContain("--wait-for-jobs");
  });

  test("a repository's password is refused", () => {
    const options = { repositoryOpts: { repo: "https://x", password: "hunter2" } };
    expect(() => actionArguments("install", { ...spec, chart: "c", options })).toThrow(
      /takes no repositoryOpts\.password/,
    );
  });

  test("its error is told without warnings and prefixes", () => {
    const stderr = "WARNING: group-readable\nError: UPGRADE FAILED: context deadline exceeded\n";
    expect(helmMessage(stderr)).toBe("context deadline exceeded");
  });

  test("the objects of a manifest are listed by kind", () => {
    const manifest =
      "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b}\n" +
      "---\n# nothing\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: n}\n" +
      "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n";
    expect(resourceNames(manifest)).toEqual({
      "Deployment.apps/apps/v1": ["a", "b"],
      "Secret/v1": ["n/s"],
    });
  });
});

test("a pod tells why it is not ready", () => {
  const pod = {
    metadata: { name: "web", namespace: "shop" },
    status: {
      conditions: [
        {
          type: "Ready",
          status: "False",
          reason: "R",
          message: "containers with unready status: [w]",
        },
      ],
      containerStatuses: [
        {
          name: "w",
          ready: false,
          state: { waiting: { reason: "ImagePullBackOff", message: "Back-off" } },
        },
      ],
    },
  };
  expect(podReasons(pod)).toEqual([
    "[Pod shop/web]: containers with unready status: [w][ImagePullBackOff] Back-off",
  ]);
});

describe("objects in a cluster", () => {
  const request = (inputs: Props, more: object = {}) => ({
    ...{ urn: "urn:x::r", name: "r", type: "kubernetes:core/v1:ConfigMap", inputs },
    ...{ preview: false, timeout: 0, log: () => undefined, ...more },
  });
  const objects = (cluster: MemoryCluster, upsert = false): Objects =>
    new Objects({ cluster, namespace: "", signal: () => new AbortController().signal, upsert });

  test("a preview stores nothing", async () => {
    const cluster = new MemoryCluster();
    const state = await objects(cluster).create(request(named("a"), { preview: true }));
    expect(state.id).toBe("");
    expect(state.outputs).toMatchObject({ metadata: { name: "a" } });
    expect(cluster.all()).toEqual([]);
  });

  test("an object that somebody else has made is not taken over", async () => {
    const cluster = new MemoryCluster();
    cluster.put(named("a"));
    await expect(objects(cluster).create(request(named("a")))).rejects.toThrow(
      /"a" already exists\n\nThe resource already exists in the cluster/,
    );
  });

  test("unless the provider is told to (upsertExistingObjects)", async () => {
    const cluster = new MemoryCluster();
    cluster.put({ ...named("a"), data: { old: "1" } });
    const [before] = cluster.all();
    await objects(cluster, true).create(request({ ...named("a"), data: { ours: "2" } }));
    await objects(cluster, true).create(request(named("b")));
    const [taken, made] = cluster.all();
    expect(taken).toMatchObject({ data: { ours: "2" } });
    expect(taken?.["metadata"]).toMatchObject({
      uid: (before?.["metadata"] as Props)["uid"],
    });
    expect(made).toMatchObject({ metadata: { name: "b" } });
  });

  test("one that does not get ready is kept, with the reasons", async () => {
    const cluster = new MemoryCluster();
    const conditions = [{ type: "Available", status: "False", reason: "R", message: "no pods" }];
    cluster.status = () => ({ conditions });
    const deployment: Props = {
      ...{
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "d", namespace: "default" },
      },
      spec: { selector: { matchLabels: { app: "d" } } },
    };
    const failed = await objects(cluster)
      .create(request(deployment, { timeout: 0.05 }))
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(InitializationError);
    const { id, message, reasons, outputs } = failed as InitializationError;
    expect(id).toBe("default/d");
    expect(message).toMatch(/failed to fully initialize or become live: 'd' timed out/);
    expect(reasons).toEqual(["[R] no pods", "Minimum number of live Pods was not attained"]);
    expect(outputs["__inputs"]).toMatchObject({ kind: "Deployment" });
  });

  test("an Ingress waits for its controller's address, unless it says otherwise", async () => {
    const cluster = new MemoryCluster();
    const ingress = (name: string, annotations: Props) => ({
      ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress" },
      metadata: { name, namespace: "default", annotations },
    });
    const unawaited = ingress("unawaited", { "pulumi.com/skipAwait": "true" });
    expect((await objects(cluster).create(request(unawaited))).id).toBe("default/unawaited");
    const late = request(ingress("late", {}), { timeout: 0.05 });
    await expect(objects(cluster).create(late)).rejects.toMatchObject({
      reasons: ["Ingress .status.loadBalancer field was not updated with a hostname/IP address."],
    });
    cluster.status = () => ({ loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } });
    const awaited = request(ingress("awaited", {}), { timeout: 0.05 });
    expect((await objects(cluster).create(awaited)).id).toBe("default/awaited");
  });

  test.each([
    ["failed, and asks for it", "Failed", "true", true],
    ["failed, and does not ask", "Failed", "false", false],
    ["is complete", "Complete", "true", false],
  ])("a Job that %s", async (_, condition, asks, replaced) => {
    const cluster = new MemoryCluster();
    const annotations = { "pulumi.com/replaceUnready": asks };
    const job = {
      ...{ apiVersion: "batch/v1", kind: "Job" },
      metadata: { name: "j", namespace: "default", annotations },
    };
    const { id, outputs } = await objects(cluster).create(request(job));
    cluster.status = () => ({ conditions: [{ type: condition, status: "True" }] });
    const news = { ...request(job), id, olds: outputs, news: job, oldInputs: job };
    const diff = await objects(cluster).diff({ ...news, ignoreChanges: [] });
    expect(diff.changes).toBe(replaced);
    expect(diff.replaces).toHaveLength(replaced ? 1 : 0);
    await cluster.delete({ ...job, namespace: "default", name: "j" });
    const gone = await objects(cluster).diff({ ...news, ignoreChanges: [] });
    expect(gone.changes).toBe(false);
  });

  test("refresh finds that an object is gone", async () => {
    const read = { ...request({}), id: "default/a", olds: {}, inputs: named("a") };
    expect((await objects(new MemoryCluster()).read(read)).id).toBe("");
  });
});
