import { connect, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** A TCP proxy on loopback that can be cut: to see what clients do without a service. */
export interface CuttableProxy {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** While it is cut, every connection is closed, those that are open as well. */
  cut(isCut: boolean): void;
  close(): Promise<void>;
}

/** @param target where connections go to, such as http://localhost:31080 */
export async function startProxy(target: string): Promise<CuttableProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isDown = false;
  const follow = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    return socket;
  };
  const server = createServer((client) => {
    follow(client);
    if (isDown) return void client.destroy();
    const upstream = follow(connect({ host: hostname, port: Number(port) }));
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const cutAll = () => sockets.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: (isCut) => {
      isDown = isCut;
      if (isCut) cutAll();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cutAll();
      }),
  };
}
