import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, STATUS_CODES, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Duplex } from "node:stream";
import { parse, stringify } from "yaml";
import { ApiError, refOf } from "../../../local/pulumi/kubernetes/cluster.ts";
import type { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import { textAt, type Props } from "../../../local/pulumi/values.ts";
import { patched, replaced } from "./kubernetesPatch.ts";
import { discovery, parsePath, parseSelector, type Path } from "./kubernetesPath.ts";
import { labelled, podsOf } from "./pods.ts";
import { acceptPortForward } from "./portForward.ts";

/** What runs in the pods. */
export interface Workloads {
  /** Gives the stream to what listens on the pod's port; false when nothing does. */
  connect(pod: Props, port: number, stream: Duplex): boolean;
}

const nothingListens: Workloads = { connect: () => false };

/**
 * The part of the Kubernetes API that the program and its commands use, over HTTP without
 * credentials: objects are those of a cluster in memory, pods are synthesized from its workloads,
 * and port-forwards reach what `workloads` says.
 */
export class KubernetesApi {
  /** Path of a kubeconfig file that leads here. */
  readonly kubeconfig: string;
  private readonly cluster: MemoryCluster;
  private readonly workloads: Workloads;
  private readonly server: Server;
  private readonly directory: string;

  private constructor(cluster: MemoryCluster, workloads: Workloads) {
    this.cluster = cluster;
    this.workloads = workloads;
    this.directory = mkdtempSync(join(tmpdir(), "anchorhold-api-"));
    this.kubeconfig = join(this.directory, "kubeconfig");
    this.server = createServer((request, response) => {
      this.answer(request)
        .then((body): [number, object] => [request.method === "POST" ? 201 : 200, body])
        .catch((error: unknown): [number, object] => failure(error))
        .then(([code, body]) => {
          response.writeHead(code, { "content-type": "application/json" });
          response.end(JSON.stringify(body));
        }, console.error);
    });
    this.server.on("upgrade", (request, socket, head) => this.forward(request, socket, head));
  }

  /** Serves on a free port of 127.0.0.1, until `close`. */
  static async serve(cluster: MemoryCluster, workloads = nothingListens): Promise<KubernetesApi> {
    const api = new KubernetesApi(cluster, workloads);
    await new Promise<void>((resolve) => api.server.listen(0, "127.0.0.1", resolve));
    const { port } = api.server.address() as AddressInfo;
    writeFileSync(api.kubeconfig, kubeconfig(`http://127.0.0.1:${port}`));
    return api;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async answer(request: IncomingMessage): Promise<object> {
    const url = new URL(request.url ?? "/", "http://cluster");
    const definitions = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
    const defined = await this.cluster.list({ ...definitions, namespace: "" });
    const listed = discovery(
      url.pathname,
      defined.map((definition) => refOf(definition).name),
    );
    if (listed !== undefined) return listed;
    const path = parsePath(url.pathname);
    if (path.subresource !== "") throw unknownPath(url.pathname);
    const { method = "" } = request;
    switch (method) {
      case "GET":
        return path.name === "" ? this.list(path, url.searchParams) : this.get(path);
      case "POST":
        return this.cluster.create(inside(path, await body(request)), manager(url));
      case "PUT":
        return this.cluster.apply(
          replaced(await this.get(path), await body(request)),
          manager(url),
        );
      case "PATCH": {
        const type = request.headers["content-type"] ?? "";
        const change = await body(request);
        // Server-side apply makes what is not there.
        if (type.startsWith("application/apply-patch") && !(await this.cluster.get(path)))
          return this.cluster.create(inside(path, change), manager(url));
        return this.cluster.apply(patched(await this.get(path), type, change), manager(url));
      }
      case "DELETE":
        await this.get(path);
        await this.cluster.delete(path);
        return { apiVersion: "v1", kind: "Status", status: "Success" };
      default:
        throw new ApiError(405, "MethodNotAllowed", `${method} ${url.pathname}`);
    }
  }

  private async get(path: Path): Promise<Props> {
    const found =
      path.kind === "Pod"
        ? this.pods(path.namespace).find((pod) => refOf(pod).name === path.name)
        : await this.cluster.get(path);
    if (found !== undefined) return found;
    throw new ApiError(404, "NotFound", `${path.plural} "${path.name}" not found`);
  }

  private async list(path: Path, query: URLSearchParams): Promise<object> {
    if (query.has("fieldSelector") || query.has("watch")) {
      throw new ApiError(400, "BadRequest", `the stand-in does not know ?${query.toString()}`);
    }
    const all = path.kind === "Pod" ? this.pods(path.namespace) : await this.cluster.list(path);
    const items = labelled(all, parseSelector(query.get("labelSelector") ?? ""));
    return { apiVersion: path.apiVersion, kind: `${path.kind}List`, metadata: {}, items };
  }

  private pods(namespace: string): Props[] {
    const all = podsOf(this.cluster);
    return namespace === "" ? all : all.filter((pod) => refOf(pod).namespace === namespace);
  }

  private forward(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? "/", "http://cluster");
    this.target(url.pathname)
      .then((pod) => {
        const port = Number(url.searchParams.get("ports"));
        acceptPortForward(request, socket, head, port, (stream) =>
          this.workloads.connect(pod, port, stream),
        );
      })
      .catch((error: unknown) => {
        const [code, status] = failure(error);
        const content = JSON.stringify(status);
        socket.end(
          `HTTP/1.1 ${code} ${STATUS_CODES[code]}\r\nContent-Type: application/json\r\n` +
            `Content-Length: ${Buffer.byteLength(content)}\r\nConnection: close\r\n\r\n${content}`,
        );
      });
  }

  private async target(pathname: string): Promise<Props> {
    const path = parsePath(pathname);
    if (path.kind !== "Pod" || path.subresource !== "portforward") throw unknownPath(pathname);
    const pod = await this.get(path);
    if (textAt(pod, "status", "phase") === "Running") return pod;
    throw new ApiError(400, "BadRequest", `pod ${path.name} is not running`);
  }
}

function unknownPath(pathname: string): ApiError {
  return new ApiError(404, "NotFound", `the stand-in does not serve ${pathname}`);
}

/** JSON is YAML as well; an empty body is an empty object. */
async function body(request: IncomingMessage): Promise<Props> {
  return (parse(await text(request)) ?? {}) as Props;
}

function inside({ apiVersion, kind, namespace }: Path, object: Props): Props {
  const metadata = object["metadata"] as Props;
  return { ...object, apiVersion, kind, metadata: { ...metadata, namespace } };
}

function manager(url: URL) {
  return { fieldManager: url.searchParams.get("fieldManager") ?? "unknown" };
}

function failure(error: unknown): [number, object] {
  const known =
    error instanceof ApiError ? error : new ApiError(500, "InternalError", String(error));
  const { code, reason, message } = known;
  return [code, { apiVersion: "v1", kind: "Status", status: "Failure", code, reason, message }];
}

function kubeconfig(server: string): string {
  const name = "in-memory";
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    // Without this the client refuses plain HTTP.
    clusters: [{ name, cluster: { server, "insecure-skip-tls-verify": true } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    users: [{ name, user: {} }],
  });
}
