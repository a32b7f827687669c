import { createServer, type AddressInfo, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import {
  CoreV1Api,
  type KubeConfig,
  PortForward,
  type V1Pod,
  type V1Service,
} from "@kubernetes/client-node";
import { CannotRun, oneLine } from "../errors.ts";
import { loadKubeConfig } from "../kubeconfig.ts";

/** A Service's port, from "NAMESPACE/SERVICE:PORT". */
export interface ServicePort {
  namespace: string;
  service: string;
  port: number;
}

/** Reads "NAMESPACE/SERVICE:PORT". @throws {CannotRun} with the form that is expected. */
export function parseServicePort(text: string): ServicePort {
  const match = /^([a-z0-9-]+)\/([a-z0-9-]+):(\d{1,5})$/.exec(text);
  const [, namespace, service, port] = match ?? [];
  if (namespace === undefined || service === undefined || Number(port) > 65_535) {
    throw new CannotRun(
      `--port-forward "${text}" is not of the form NAMESPACE/SERVICE:PORT, ` +
        "for example trillian-system/trillian-logserver:8091.",
    );
  }
  return { namespace, service, port: Number(port) };
}

/**
 * The pod and the container's port behind a Service's port: the first Ready pod that is not being
 * deleted. Undefined while no pod is ready.
 */
export function chooseTarget(
  service: V1Service,
  pods: readonly V1Pod[],
  port: number,
): { pod: string; port: number } | undefined {
  const entry = service.spec?.ports?.find((candidate) => candidate.port === port);
  if (entry === undefined) {
    const known = service.spec?.ports?.map((candidate) => candidate.port).join(", ") ?? "none";
    throw new CannotRun(
      `Service ${service.metadata?.name ?? ""} has no port ${port} (it has: ${known}).`,
    );
  }
  for (const pod of pods.filter(isReady)) {
    const target = containerPort(pod, entry.targetPort ?? port);
    if (pod.metadata?.name !== undefined && target !== undefined) {
      return { pod: pod.metadata.name, port: target };
    }
  }
  return undefined;
}

function isReady(pod: V1Pod): boolean {
  const ready = pod.status?.conditions?.some(
    (condition) => condition.type === "Ready" && condition.status === "True",
  );
  return ready === true && pod.metadata?.deletionTimestamp === undefined;
}

/** `targetPort` may be a number, a number as text (the client's IntOrString), or a port's name. */
function containerPort(pod: V1Pod, target: number | string): number | undefined {
  if (/^\d+$/.test(String(target))) return Number(target);
  return pod.spec?.containers
    .flatMap((container) => container.ports ?? [])
    .find((candidate) => candidate.name === target)?.containerPort;
}

/** A port on 127.0.0.1 that leads to the Service, until `close`. */
export interface Forward {
  address: string;
  close(): void;
}

/**
 * Opens a local port; each connection to it goes to a pod that is Ready at that moment, so a
 * client that reconnects after a roll reaches the new pod. Without one the connection is closed,
 * which a gRPC client sees as UNAVAILABLE and tries again.
 */
export async function forwardToService(target: ServicePort): Promise<Forward> {
  const config = loadKubeConfig();
  await checkService(config, target);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    join(config, target, socket).catch((error: unknown) => socket.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Says at once what no waiting can mend: no such Service or port, no way to the cluster. */
async function checkService(config: KubeConfig, target: ServicePort): Promise<void> {
  try {
    await findPod(config, target);
  } catch (error) {
    if (error instanceof CannotRun) throw error;
    const what = (error as { code?: unknown }).code === 404 ? "does not exist" : oneLine(error);
    throw new CannotRun(
      `Service ${target.namespace}/${target.service} in cluster "${config.getCurrentContext()}": ` +
        `${what}. Check KUBECONFIG and that the Service is deployed.`,
      { cause: error },
    );
  }
}

/** The part of a WebSocket that is used here; without retries the client returns one. */
interface Channel {
  onclose: () => void;
  close(): void;
}

async function join(config: KubeConfig, target: ServicePort, socket: Socket): Promise<void> {
  const pod = await findPod(config, target);
  if (pod === undefined) {
    socket.destroy();
    return;
  }
  const errors = new PassThrough();
  errors.on("data", () => socket.destroy());
  const forward = new PortForward(config);
  const channel = (await forward.portForward(
    target.namespace,
    pod.pod,
    [pod.port],
    socket,
    errors,
    socket,
  )) as unknown as Channel | (() => unknown);
  if (typeof channel === "function") return;
  channel.onclose = () => socket.destroy();
  socket.on("close", () => channel.close());
  if (socket.destroyed) channel.close();
}

async function findPod(config: KubeConfig, { namespace, service, port }: ServicePort) {
  const core = config.makeApiClient(CoreV1Api);
  const found = await core.readNamespacedService({ namespace, name: service });
  const labelSelector = Object.entries(found.spec?.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  // Without a selector every pod of the namespace would match.
  if (labelSelector === "") return undefined;
  const pods = await core.listNamespacedPod({ namespace, labelSelector });
  return chooseTarget(found, pods.items, port);
}
