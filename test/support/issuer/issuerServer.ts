import { createServer, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SigningKey } from "./signingKey.ts";

/** What a server answers to one request. */
export interface Answer {
  status?: number;
  /** JSON, if it is an object. */
  body?: object | string;
  headers?: Record<string, string>;
}

/** `GET /path` → what it answers to the query's or the form's parameters. */
export type Routes = Readonly<Record<string, (parameters: URLSearchParams) => Answer>>;

/**
 * A stand-in for a token issuer: an HTTP server on this machine with a discovery document, keys and
 * tokens. What a certain issuer does beyond that is in `routes`.
 */
export class IssuerServer {
  readonly key = new SigningKey();
  /** The issuer's URL, without a slash at its end. */
  readonly url: string;
  private readonly server: Server;

  protected constructor(server: Server, host: string) {
    this.server = server;
    this.url = `http://${host}:${(server.address() as AddressInfo).port}`;
  }

  /** Starts an issuer that does nothing but vouch for tokens. */
  static async start(host = "127.0.0.1"): Promise<IssuerServer> {
    const issuer = new IssuerServer(await listen(host), host);
    issuer.serve({});
    return issuer;
  }

  /** A token that is good for five minutes, with the claims that differ. */
  token(claims: object): string {
    const now = Math.floor(Date.now() / 1000);
    return this.key.token({ iss: this.url, iat: now, nbf: now - 5, exp: now + 300, ...claims });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** OpenID Connect Discovery 1.0, section 3: what is required, and what the issuer adds. */
  protected serve(
    routes: Routes,
    document: () => object = () => ({}),
    keys: readonly SigningKey[] = [],
  ): void {
    const keysPath = "/oauth/discovery/keys";
    const all: Routes = {
      "GET /.well-known/openid-configuration": () => ({
        body: { issuer: this.url, jwks_uri: `${this.url}${keysPath}`, ...document() },
      }),
      [`GET ${keysPath}`]: () => ({ body: { keys: [this.key, ...keys].map(({ jwk }) => jwk) } }),
      ...routes,
    };
    this.server.on("request", (request, response) => {
      void answer(all, request).then(({ status = 200, body = "", headers = {} }) => {
        const isJson = typeof body === "object";
        response.writeHead(status, {
          ...(isJson ? { "Content-Type": "application/json; charset=utf-8" } : {}),
          ...headers,
        });
        response.end(isJson ? JSON.stringify(body) : body);
      });
    });
  }
}

export async function listen(host: string): Promise<Server> {
  const server = createServer();
  server.listen(0, host);
  await once(server, "listening");
  return server;
}

async function answer(routes: Routes, request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://issuer");
  const route = routes[`${request.method} ${pathname}`];
  if (route === undefined) return { status: 404, body: "not found" };
  if (request.method !== "POST") return route(searchParams);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return route(new URLSearchParams(Buffer.concat(chunks).toString()));
}
