import type { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import { duplexPair, type Duplex } from "node:stream";

/** The part of the package `ws` that is used here; it has no types of its own. */
interface WebSocket {
  send(data: Buffer): void;
  close(): void;
  on(event: "message", listener: (data: Buffer) => void): void;
  on(event: "close" | "error", listener: () => void): void;
}
interface WebSocketServer {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (socket: WebSocket) => void,
  ): void;
}
type Options = { noServer: true; handleProtocols: (offered: Set<string>) => string | false };

// The one that the Kubernetes client brings along, wherever npm has put it.
const { WebSocketServer } = createRequire(import.meta.resolve("@kubernetes/client-node"))("ws") as {
  WebSocketServer: new (options: Options) => WebSocketServer;
};

/** What a kubelet speaks for port-forward over a WebSocket (kubelet, portforward/websocket.go). */
const PROTOCOL = "v4.channel.k8s.io";

const server = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
});

/** Channels of the first and only port: its bytes, and what goes wrong. */
const DATA = 0;
const ERROR = 1;

/** Opens what listens on the port; false when nothing does. */
export type Open = (stream: Duplex) => boolean;

/**
 * Answers the upgrade of a port-forward to one port. The first message of each channel is the port
 * as little-endian uint16; then each message is the channel's number and bytes. Whoever ends first
 * ends the WebSocket.
 */
export function acceptPortForward(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  port: number,
  open: Open,
): void {
  server.handleUpgrade(request, socket, head, (channel) => {
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    for (const id of [DATA, ERROR]) channel.send(Buffer.concat([Buffer.of(id), number]));
    const [near, far] = duplexPair();
    channel.on("error", () => channel.close());
    channel.on("close", () => {
      near.destroy();
      far.destroy();
    });
    if (!open(far)) {
      const refusal = `error forwarding port ${port}: connect: connection refused`;
      channel.send(Buffer.concat([Buffer.of(ERROR), Buffer.from(refusal)]));
      channel.close();
      return;
    }
    channel.on("message", (data) => {
      if (data[0] === DATA && near.writable) near.write(data.subarray(1));
    });
    near.on("data", (bytes: Buffer) => channel.send(Buffer.concat([Buffer.of(DATA), bytes])));
    near.on("end", () => channel.close());
    for (const end of [near, far]) end.on("error", () => channel.close());
    far.on("close", () => channel.close());
  });
}
