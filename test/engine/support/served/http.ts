import type { RequestListener } from "node:http";
import { buffer } from "node:stream/consumers";

export interface Response {
  status: number;
  contentType: string;
  body: string | Buffer;
}

/** A server: what it answers to a path, and to a query if it reads one. */
export interface Service {
  get(path: string, query?: URLSearchParams): Response;
  post(path: string, body: Buffer): Response | Promise<Response>;
}

export function json(value: object, status = 200): Response {
  return { status, contentType: "application/json", body: JSON.stringify(value) };
}

export function plain(body: string | Buffer, status = 200): Response {
  return { status, contentType: "text/plain", body };
}

export const notFound: Response = plain("404 page not found\n", 404);

/** A service with an answer for each of these paths; any other is not found. */
export function routes(
  gets: Readonly<Record<string, (query: URLSearchParams) => Response>>,
  posts: Readonly<Record<string, (body: Buffer) => Response | Promise<Response>>> = {},
): Service {
  return {
    get: (path, query = new URLSearchParams()) => gets[path]?.(query) ?? notFound,
    post: (path, body) => posts[path]?.(body) ?? notFound,
  };
}

/** A service behind Node's HTTP server. */
export function listener(service: Service): RequestListener {
  return (incoming, outgoing) => {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://service");
    buffer(incoming)
      .then((body) => {
        if (incoming.method === "GET") return service.get(pathname, searchParams);
        return incoming.method === "POST" ? service.post(pathname, body) : notFound;
      })
      .catch((error: unknown) => plain(String(error), 500))
      .then(({ status, contentType, body }) => {
        outgoing.writeHead(status, { "content-type": contentType }).end(body);
      }, console.error);
  };
}
