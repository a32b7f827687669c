import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initTUF } from "@sigstore/tuf";

/** A plain HTTP server on loopback for a repository's files; anything else is 404. */
export class Mirror {
  files: Record<string, string> = {};
  readonly requests: string[] = [];
  readonly #server = createServer((request, response) => {
    const path = (request.url ?? "").slice(1);
    const content = this.files[path];
    this.requests.push(path);
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async open(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

/** A client of a mirror: sigstore-js's TUF client with a cache and a first root of its own. */
export class Client {
  readonly #folder = mkdtempSync(join(tmpdir(), "anchorhold-tuf-"));
  readonly options;

  constructor(mirror: Mirror, firstRoot: string) {
    const rootPath = join(this.#folder, "first-root.json");
    writeFileSync(rootPath, firstRoot);
    const cachePath = join(this.#folder, "cache");
    this.options = { mirrorURL: mirror.url, rootPath, cachePath, retry: { retries: 0 } };
  }

  /** Walks the roots and refreshes everything, then reads one target. */
  async read(target: string): Promise<string> {
    return (await initTUF(this.options)).getTarget(target);
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
