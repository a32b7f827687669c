import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";

/**
 * A company's forward proxy (RFC 9110, CONNECT alone): the only one that can resolve the names that
 * it is given.
 */
export class ForwardProxy {
  readonly port: number;
  /** Each HOST:PORT that was asked for. */
  readonly asked: string[] = [];
  private readonly server: Server;

  private constructor(server: Server, names: Readonly<Record<string, number>>) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connect", ({ url = "" }, client) => {
      this.asked.push(url);
      const port = names[url.replace(/:\d+$/, "")];
      if (port === undefined) return void client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      const upstream = connect(port, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on("error", () => client.destroy());
      client.on("error", () => upstream.destroy());
    });
  }

  /** @param names the port on this machine of each name that it knows; more may be added later */
  static async start(
    names: Readonly<Record<string, number>>,
    host = "127.0.0.1",
  ): Promise<ForwardProxy> {
    const server = createServer((_request, response) => response.writeHead(405).end());
    await once(server.listen(0, host), "listening");
    return new ForwardProxy(server, names);
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
