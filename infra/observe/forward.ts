import { createServer, type AddressInfo, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { type KubeConfig, PortForward } from "@kubernetes/client-node";

/** A container's port in a pod. */
export interface PodPort {
  namespace: string;
  pod: string;
  port: number;
}

/** A port on 127.0.0.1 that leads into the cluster, until `close`. */
export interface Forward {
  address: string;
  close(): void;
}

/**
 * Opens a local port; each connection to it goes to the pod that `choose` names at that moment.
 * Without one the connection is closed, which a gRPC client sees as UNAVAILABLE and tries again.
 */
export async function forward(
  config: KubeConfig,
  choose: () => Promise<PodPort | undefined>,
): Promise<Forward> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    join(config, choose, socket).catch((error: unknown) => socket.destroy(error as Error));
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

/** Runs `task` with a local address that leads to the pod's port, and closes it afterwards. */
export async function withForward<T>(
  config: KubeConfig,
  target: PodPort,
  task: (address: string) => Promise<T>,
): Promise<T> {
  const open = await forward(config, () => Promise.resolve(target));
  try {
    return await task(open.address);
  } finally {
    open.close();
  }
}

/** The part of a WebSocket that is used here; without retries the client returns one. */
interface Channel {
  onclose: () => void;
  close(): void;
}

async function join(
  config: KubeConfig,
  choose: () => Promise<PodPort | undefined>,
  socket: Socket,
): Promise<void> {
  const target = await choose();
  if (target === undefined) {
    socket.destroy();
    return;
  }
  const errors = new PassThrough();
  errors.on("data", () => socket.destroy());
  const channel = (await new PortForward(config).portForward(
    target.namespace,
    target.pod,
    [target.port],
    socket,
    errors,
    socket,
  )) as unknown as Channel | (() => unknown);
  if (typeof channel === "function") return;
  channel.onclose = () => socket.destroy();
  socket.on("close", () => channel.close());
  if (socket.destroyed) channel.close();
}
