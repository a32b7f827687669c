import { createServer } from "node:http";
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { refOf } from "../../../local/pulumi/kubernetes/cluster.ts";
import type { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import { listAt, objectAt, textAt, type Props, type Value } from "../../../local/pulumi/values.ts";
import type { TrillianStandIn } from "../../support/trillian.ts";
import type { Workloads } from "./kubernetesApi.ts";
import { entrance } from "./entrance.ts";
import { isReady, podsBehind, portNumber } from "./pods.ts";
import { NotStarted } from "./served/container.ts";
import { listener, type Service } from "./served/http.ts";
import { start, unready, type Ports } from "./served/process.ts";
import { Trees } from "./served/trees.ts";

/** A Ready pod and what it serves on the port that was asked for. */
export interface Endpoint {
  pod: Props;
  service: Service;
}

/**
 * What the pods of a cluster in memory serve, computed from the objects that they name: a wrong
 * Secret, ConfigMap or argument is seen as a pod that does not start or answers wrongly. The
 * cluster then reports its Deployments as ready only when their pods are.
 */
export class Served implements Workloads {
  private readonly cluster: MemoryCluster;
  readonly trees: Trees;
  private readonly trillian: { standIn: TrillianStandIn; address: string } | undefined;

  constructor(cluster: MemoryCluster, trillian?: { standIn: TrillianStandIn; address: string }) {
    this.cluster = cluster;
    this.trillian = trillian;
    const made = trillian?.standIn.initialised;
    this.trees = new Trees(made && ((treeId) => made.has(treeId)));
    const before = cluster.status;
    cluster.status = (object) => before(object) ?? this.status(object);
  }

  /** Why a pod is not Ready; undefined when it is. */
  trouble(pod: Props): string | undefined {
    try {
      return unready(pod, this.start(pod));
    } catch (error) {
      if (error instanceof NotStarted) return error.message;
      throw error;
    }
  }

  /**
   * Every Ready pod behind a URL: `http://NAME.NAMESPACE.svc[:PORT]/…` inside the cluster, any
   * other host by an Ingress or Route that has it (https), or by the node port (http).
   */
  endpoints(url: string): Endpoint[] {
    const { hostname, port, protocol } = new URL(url);
    if (protocol === "https:") return this.behindHost(url);
    const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc(?:\.cluster\.local)?$/.exec(hostname) ?? [];
    const number = Number(port || 80);
    for (const service of this.cluster.all().filter(({ kind }) => kind === "Service")) {
      const own = refOf(service);
      const inside = own.name === name && own.namespace === namespace;
      for (const entry of listAt(service, "spec", "ports"))
        if (inside ? entry["port"] === number : !name && entry["nodePort"] === number)
          return this.behind(service, entry["targetPort"] ?? entry["port"]);
    }
    return [];
  }

  /** For port-forwards: HTTP to the pod's stand-in, Trillian's log server to its own. */
  connect(pod: Props, port: number, stream: Duplex): boolean {
    const service = isReady(pod) ? this.start(pod).get(port) : undefined;
    const address = isLogServer(pod, port) ? this.trillian?.address : undefined;
    if (service !== undefined) {
      createServer(listener(service)).emit("connection", stream);
    } else if (address !== undefined) {
      const [host, number] = address.split(":");
      const socket = connectTcp(Number(number), host);
      socket.on("error", () => stream.destroy());
      stream.on("close", () => socket.destroy());
      stream.pipe(socket).pipe(stream);
    }
    return service !== undefined || address !== undefined;
  }

  private behind(service: Props, target: Value | undefined): Endpoint[] {
    return podsBehind(this.cluster, service)
      .filter(isReady)
      .flatMap((pod) => {
        const found = this.start(pod).get(portNumber(pod, target));
        return found === undefined ? [] : [{ pod, service: found }];
      });
  }

  private behindHost(url: string): Endpoint[] {
    const entered = entrance(this.cluster, url);
    const port = listAt(entered?.service ?? {}, "spec", "ports").find(
      (entry) => entered && [entry["port"], entry["name"]].includes(entered.port),
    );
    return entered && port ? this.behind(entered.service, port["targetPort"] ?? port["port"]) : [];
  }

  protected start(pod: Props): Ports {
    return start(pod, {
      cluster: this.cluster,
      trees: this.trees,
      dial: (url) => this.endpoints(url).map(({ service }) => service),
    });
  }

  /** The status of a Deployment whose pods do not start; undefined leaves it ready. */
  private status(object: Props): Props | undefined {
    const { apiVersion, kind, namespace, name } = refOf(object);
    if (apiVersion !== "apps/v1" || kind !== "Deployment") return undefined;
    const template = objectAt(object, "spec", "template");
    const metadata = { ...objectAt(template, "metadata"), namespace, name };
    const reason = this.trouble({ ...template, metadata });
    if (reason === undefined) return undefined;
    const condition = { status: "False", reason: "PodsNotReady", message: reason };
    return {
      observedGeneration: objectAt(object, "metadata")["generation"] ?? 1,
      readyReplicas: 0,
      conditions: ["Available", "Progressing"].map((type) => ({ type, ...condition })),
    };
  }
}

function isLogServer(pod: Props, port: number): boolean {
  const args = listAt(pod, "spec", "containers").flatMap(({ args = [] }) => args as string[]);
  return (
    textAt(pod, "metadata", "name").includes("logserver") &&
    args.includes(`--rpc_endpoint=0.0.0.0:${port}`)
  );
}
