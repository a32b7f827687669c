import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text as textOf } from "node:stream/consumers";

interface Answer {
  code: number;
  json: unknown;
  headers?: Record<string, string>;
}

/**
 * Stands in for GitLab's notes API (https://docs.gitlab.com/api/notes/): merge request 7 of project 42,
 * a page of 100 notes at a time, and a token whose user has the id 1.
 */
export class GitLabNotes {
  readonly notes: { id: number; body: string; author: { id: number } }[] = [];
  /** Answers all with this instead, if it is not 200. */
  status = 200;
  readonly #token = "glpat-test";
  readonly #server = createServer((request, response) => {
    void this.#answer(request).then(({ code, json, headers = {} }) =>
      response.writeHead(code, headers).end(JSON.stringify(json)),
    );
  });

  /** What GitLab tells a job, and the project's own token. */
  get variables(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      CI_API_V4_URL: `http://127.0.0.1:${port}/api/v4`,
      CI_PROJECT_ID: "42",
      ANCHORHOLD_COMMENT_TOKEN: this.#token,
    };
  }

  async open(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(request.url!, "http://gitlab");
    if (this.status !== 200) return { code: this.status, json: { message: "no" } };
    if (request.headers["private-token"] !== this.#token) return { code: 401, json: {} };
    if (pathname === "/api/v4/user") return { code: 200, json: { id: 1 } };
    const place = /^\/api\/v4\/projects\/42\/merge_requests\/7\/notes(?:\/(\d+))?$/.exec(pathname);
    if (place === null) return { code: 404, json: {} };
    if (request.method === "GET") return this.#page(Number(searchParams.get("page")));
    const { body } = JSON.parse(await textOf(request)) as { body: string };
    const [, id] = place;
    if (id === undefined) this.notes.push({ id: this.notes.length + 1, body, author: { id: 1 } });
    else this.notes.find((note) => note.id === Number(id))!.body = body;
    return { code: 200, json: {} };
  }

  #page(page: number): Answer {
    const next = page * 100 < this.notes.length ? String(page + 1) : "";
    const json = this.notes.slice((page - 1) * 100, page * 100);
    return { code: 200, json, headers: { "x-next-page": next } };
  }
}
