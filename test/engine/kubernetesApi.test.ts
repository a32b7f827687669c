import { createServer, request } from "node:http";
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { connect } from "../../cli/trillian/client.ts";
import { loadKubeConfig } from "../../infra/observe/kubeconfig.ts";
import { forwardToService } from "../../infra/observe/service.ts";
import { MemoryCluster } from "../../local/pulumi/kubernetes/memoryCluster.ts";
import type { Props } from "../../local/pulumi/values.ts";
import { TrillianStandIn } from "../support/trillian.ts";
import { KubernetesApi } from "./support/kubernetesApi.ts";

const cluster = new MemoryCluster();
const trillian = new TrillianStandIn();
const namespace = "here";
const labels = { app: "server" };
const http = createServer((incoming, response) => {
  void text(incoming).then((sent) => response.end(`${incoming.url} got ${sent.length} bytes`));
});
let api: KubernetesApi;
let core: CoreV1Api;

function put(apiVersion: string, kind: string, name: string, rest: Props): void {
  cluster.put({ apiVersion, kind, metadata: { name, namespace, labels }, ...rest });
}

/** Port 80 is an HTTP server, port 8091 Trillian; nothing else listens. */
function open(_pod: Props, port: number, stream: Duplex): boolean {
  if (port === 80) http.emit("connection", stream);
  else if (port === 8091) stream.pipe(connectTcp(trillianPort, "127.0.0.1")).pipe(stream);
  else return false;
  return true;
}
let trillianPort = 0;

beforeAll(async () => {
  trillianPort = Number((await trillian.listen()).split(":")[1]);
  api = await KubernetesApi.serve(cluster, { connect: open });
  vi.stubEnv("KUBECONFIG", api.kubeconfig);
  const config = new KubeConfig();
  config.loadFromDefault();
  core = config.makeApiClient(CoreV1Api);
  put("apps/v1", "Deployment", "server", {
    spec: {
      replicas: 2,
      template: {
        metadata: { labels, annotations: { revision: "1" } },
        spec: { containers: [{ name: "server", args: ["--a=b"] }] },
      },
    },
  });
  put("v1", "Service", "server", {
    spec: {
      selector: labels,
      ports: [
        { port: 80, targetPort: 80 },
        { port: 8091, targetPort: 8091 },
        { port: 81, targetPort: 81 },
      ],
    },
  });
  put("v1", "ConfigMap", "notes", { data: { a: "1", b: "2" } });
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await api.close();
  trillian.close();
});

describe("objects", () => {
  test("the cluster's own uid, the same at each look", async () => {
    const { metadata } = await core.readNamespace({ name: "kube-system" });
    expect(metadata?.uid).toBe(cluster.uid);
    expect(new MemoryCluster().uid).not.toBe(cluster.uid);
  });

  test("reads, and says 404 in Kubernetes' form", async () => {
    const apps = new KubeConfig();
    apps.loadFromFile(api.kubeconfig);
    const found = await apps.makeApiClient(AppsV1Api).readNamespacedDeployment({
      namespace,
      name: "server",
    });
    expect(found.spec?.replicas).toBe(2);
    await expect(core.readNamespacedSecret({ namespace, name: "none" })).rejects.toMatchObject({
      code: 404,
      body: expect.stringContaining('"reason":"NotFound"') as string,
    });
  });

  test("a merge patch changes one key; a PUT of an old version is refused", async () => {
    const name = "notes";
    const before = await core.readNamespacedConfigMap({ namespace, name });
    const merge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
    await core.patchNamespacedConfigMap({ namespace, name, body: { data: { a: "3" } } }, merge);
    const after = await core.readNamespacedConfigMap({ namespace, name });
    expect(after.data).toEqual({ a: "3", b: "2" });
    expect(after.metadata?.uid).toBe(before.metadata?.uid);
    const stale = core.replaceNamespacedConfigMap({ namespace, name, body: before });
    await expect(stale).rejects.toMatchObject({ code: 409 });
    const body = { ...after, data: { a: "4" } };
    expect((await core.replaceNamespacedConfigMap({ namespace, name, body })).data).toEqual({
      a: "4",
    });
  });

  test("the content of an immutable ConfigMap stays", async () => {
    put("v1", "ConfigMap", "fixed", { data: { a: "1" }, immutable: true });
    const merge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
    const change = { namespace, name: "fixed", body: { data: { a: "2" } } };
    await expect(core.patchNamespacedConfigMap(change, merge)).rejects.toMatchObject({ code: 422 });
  });
});

describe("pods", () => {
  const list = async (labelSelector: string) =>
    (await core.listNamespacedPod({ namespace, labelSelector })).items;

  test("as many as the Deployment wants, with its template's labels, ready and with addresses", async () => {
    const pods = await list("app=server");
    expect(pods).toHaveLength(2);
    expect(await list("app=other")).toEqual([]);
    expect(new Set(pods.map(({ status }) => status?.podIP)).size).toBe(2);
    for (const { metadata, spec, status } of pods) {
      expect(metadata?.annotations).toEqual({ revision: "1" });
      expect(spec?.containers[0]?.args).toEqual(["--a=b"]);
      expect(status?.conditions).toMatchObject([{ type: "Ready", status: "True" }]);
    }
  });

  test("another template gives other pods", async () => {
    const names = async () => (await list("app=server")).map(({ metadata }) => metadata?.name);
    const before = await names();
    expect(await names()).toEqual(before);
    const template = { metadata: { labels }, spec: { containers: [{ name: "other" }] } };
    put("apps/v1", "Deployment", "other", { spec: { template } });
    expect((await names()).slice(0, 2)).toEqual(before);
    expect(await names()).toHaveLength(3);
    await cluster.delete({ apiVersion: "apps/v1", kind: "Deployment", namespace, name: "other" });
  });

  test("a Deployment that is not ready has pods that are not", async () => {
    cluster.status = ({ kind }) => (kind === "Deployment" ? { readyReplicas: 1 } : undefined);
    const pods = await list("app=server");
    cluster.status = () => undefined;
    expect(pods.map(({ status }) => status?.conditions?.[0]?.status)).toEqual(["True", "False"]);
  });

  test("a selector that is not known is an error, not an empty list", async () => {
    await expect(list("app in (a, b)")).rejects.toMatchObject({ code: 400 });
  });
});

describe("a port-forward, as the command line opens it", () => {
  test("carries HTTP both ways, large bodies as well", async () => {
    const forward = await forwardToService(loadKubeConfig(), {
      namespace,
      service: "server",
      port: 80,
    });
    const [host, port] = forward.address.split(":");
    const answer = await new Promise<string>((resolve, reject) => {
      const call = request({ host, port, path: "/x", method: "POST" }, (response) => {
        text(response).then(resolve, reject);
      });
      call.on("error", reject);
      call.end(Buffer.alloc(300_000, "a"));
    });
    forward.close();
    expect(answer).toBe("/x got 300000 bytes");
  });

  test("carries Trillian's gRPC", async () => {
    const forward = await forwardToService(loadKubeConfig(), {
      namespace,
      service: "server",
      port: 8091,
    });
    const client = connect(forward.address);
    const made = await client.createLogTree({ displayName: "rekor-1", description: "d" });
    expect(await client.listTrees()).toEqual([made]);
    client.close();
    forward.close();
  });

  test("closes the connection where nothing listens", async () => {
    const forward = await forwardToService(loadKubeConfig(), {
      namespace,
      service: "server",
      port: 81,
    });
    await expect(fetch(`http://${forward.address}/`)).rejects.toThrow("fetch failed");
    forward.close();
  });
});
