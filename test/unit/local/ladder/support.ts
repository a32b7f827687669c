// Runs the choosing of rungs on a machine that a test describes: its PATH, its home, its hosts.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { Chosen, LadderOptions } from "../../../../local/ladder/index.ts";
import { cacheDir } from "../../../../local/paths.ts";
import type { Choices } from "../../../../local/stack/choices.ts";

const project = resolve(import.meta.dirname, "../../../..");

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** A machine with nothing: no program on PATH, no host that answers. */
export class Machine {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  private readonly server: Server;
  /** What the one host that answers serves, by path; whatever begins so. */
  readonly served = new Map<string, string>();
  readonly asked: string[] = [];

  private constructor(folder: string, server: Server, port: number) {
    this.folder = folder;
    this.server = server;
    this.address = `127.0.0.1:${port}`;
    this.env = {
      PATH: join(folder, "bin"),
      HOME: folder,
      PULUMI_HOME: join(folder, "pulumi-home"),
      ANCHORHOLD_HOME: join(folder, "home"),
      ANCHORHOLD_CACHE: join(folder, "cache"),
      ANCHORHOLD_DOWNLOADS: `http://${this.address}/downloads`,
      NODE_COMPILE_CACHE: join(cacheDir, "node"),
    };
  }

  /** The host that answers. */
  readonly address: string;

  static async create(): Promise<Machine> {
    const folder = await mkdtemp(join(tmpdir(), "anchorhold-ladder-"));
    await mkdir(join(folder, "bin"));
    await symlink(process.execPath, join(folder, "bin", "node"));
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const machine = new Machine(folder, server, (server.address() as AddressInfo).port);
    server.on("request", ({ url = "" }, response) => {
      machine.asked.push(url);
      const body = machine.served.get(url);
      response.writeHead(body === undefined ? 404 : 200).end(body ?? "");
    });
    return machine;
  }

  /** Puts a program on PATH, a script of sh. */
  async program(name: string, script: string): Promise<string> {
    const path = join(this.folder, "bin", name);
    await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return path;
  }

  /** Serves a release's list of digests, so that it could be downloaded. */
  publish(checksums: string, file: string, digest = "a".repeat(64)): void {
    const path = `/downloads/${checksums.replace("https://", "")}`;
    this.served.set(path, `${digest}  ${file}\n`);
  }

  /** What an earlier `npm start` has chosen. */
  async before(choices: Choices): Promise<void> {
    await mkdir(join(this.folder, "home"), { recursive: true });
    await writeFile(join(this.folder, "home", "choices.json"), JSON.stringify(choices));
  }

  /** The rungs and their lines. */
  async choose(
    options: LadderOptions = {},
    env: NodeJS.ProcessEnv = {},
  ): Promise<Chosen & { lines: string[] }> {
    const index = join(project, "local/ladder/index.ts");
    const program = `
      import { chooseRungs } from ${JSON.stringify(index)};
      const lines = [];
      try {
        const chosen = await chooseRungs(${JSON.stringify(options)}, (line) => lines.push(line));
        console.log(JSON.stringify({ ...chosen, lines }));
      } catch (error) {
        console.error(error.message);
        process.exitCode = 1;
      }`;
    const { code, stdout, stderr } = await this.node(
      ["--input-type=module-typescript", "--eval", program],
      env,
    );
    if (code !== 0) throw new Error(stderr.trim());
    return JSON.parse(stdout) as Chosen & { lines: string[] };
  }

  /** `npm run …`, without npm. */
  cli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return this.node([join(project, "local/cli.ts"), ...args], env);
  }

  /** What lies in its home. */
  async home(): Promise<string[]> {
    return await readdir(join(this.folder, "home")).catch(() => []);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await rm(this.folder, { recursive: true });
  }

  private async node(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
    const child = spawn(process.execPath, args, {
      cwd: project,
      env: { ...this.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const closed = new Promise<number>((ended) => child.on("close", (code) => ended(code ?? 1)));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await closed, stdout, stderr };
  }
}
