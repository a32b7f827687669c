import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { mustRun } from "./process.ts";

/** An image registry on loopback (`crane registry serve`), gone with its folder at `close`. */
export interface Registry {
  host: string;
  /** Pushes an image of one small file and returns its reference by digest. */
  push(name: string): Promise<string>;
  close(): Promise<void>;
}

export async function startRegistry(crane: string): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), "anchorhold-registry-"));
  const host = `127.0.0.1:${await freePort()}`;
  const server = spawn(crane, ["registry", "serve", "--address", host], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => server.on("close", () => resolve()));
  for (let tries = 0; !(await answers(`http://${host}/v2/`)); tries += 1) {
    if (tries > 100 || server.exitCode !== null) throw new Error("the registry does not start");
    await sleep(100);
  }
  return {
    host,
    push: async (name) => {
      await writeFile(join(folder, "hello.txt"), `${name} ${Date.now()}\n`);
      await mustRun("tar", ["-cf", join(folder, "layer.tar"), "-C", folder, "hello.txt"]);
      const tag = `${host}/${name}:1`;
      const layer = ["--new_layer", join(folder, "layer.tar"), "--new_tag", tag];
      const out = await mustRun(crane, ["append", "--oci-empty-base", ...layer]);
      return out.trim();
    },
    close: async () => {
      server.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** A port on loopback that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
