// The official downloads end to end, but for what is in them: a server of the test's own, behind a
// certificate of its own, with the layout of the real hosts; archives made of the real command line,
// and of plugins that do nothing.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  pluginNames,
  pluginRelease,
  pulumiRelease,
  type Release,
} from "../../local/downloads/releases.ts";
import { ensureTools } from "../../local/tools/index.ts";
import { serverCertificate } from "../support/tlsSecret.ts";
import { repository } from "./support/stack.ts";

let folder: string;
let server: Server;
let address: string;
const files = new Map<string, Buffer>();
const asked: string[] = [];

const tarOf = (name: string): Buffer =>
  execFileSync("tar", ["-czf", "-", "-C", folder, name], { maxBuffer: 1 << 28 });

function publish({ url, checksums }: Release, archive: Buffer): void {
  const path = (of: string) => `/${of.replace("https://", "")}`;
  const digest = createHash("sha256").update(archive).digest("hex");
  files.set(path(url), archive);
  files.set(path(checksums), Buffer.from(`${digest}  ${url.split("/").at(-1)}\n`));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anchorhold-official-"));
  const { pulumi } = await ensureTools(["pulumi"], () => undefined);
  mkdirSync(join(folder, "pulumi"));
  copyFileSync(pulumi!, join(folder, "pulumi", "pulumi"));
  writeFileSync(join(folder, "pulumi", "pulumi-language-nodejs"), "#!/bin/sh\n", { mode: 0o755 });
  publish(pulumiRelease(), tarOf("pulumi"));
  for (const name of pluginNames) {
    const program = `pulumi-resource-${name}`;
    writeFileSync(join(folder, program), "#!/bin/sh\n", { mode: 0o755 });
    publish(pluginRelease(name), tarOf(program));
  }
  const made = await serverCertificate({ names: ["localhost"] });
  writeFileSync(join(folder, "ca.pem"), made.certificatePem);
  server = createServer(
    { cert: made.certificatePem, key: made.privateKeyPem },
    ({ url = "" }, response) => {
      asked.push(url);
      const file = files.get(url);
      response.writeHead(file === undefined ? 404 : 200).end(file);
    },
  );
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  address = `https://localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** `npm run pulumi -- ARGS` of a machine without Pulumi. */
async function pulumi(...args: string[]) {
  const child = spawn(process.execPath, ["local/cli.ts", "pulumi", ...args], {
    cwd: repository,
    env: {
      HOME: folder,
      PATH: "/usr/bin:/bin",
      PULUMI_HOME: join(folder, "pulumi-home"),
      ANCHORHOLD_HOME: join(folder, "home"),
      ANCHORHOLD_CACHE: join(folder, "cache"),
      ANCHORHOLD_DOWNLOADS: address,
      NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = new Promise((ended) => child.on("close", ended));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await closed, stdout, stderr };
}

test("command line and plugins are downloaded over TLS, checked, installed, and found again", async () => {
  const { version } = pulumiRelease();
  const first = await pulumi("version");
  expect(first).toMatchObject({ code: 0, stdout: `${version}\n` });
  expect(first.stderr).toContain(`pulumi ${version}: downloading https://get.pulumi.com/`);
  expect(readdirSync(join(folder, "cache", "downloads")).sort()).toEqual(
    ["pulumi", ...pluginNames.map((name) => `pulumi-resource-${name}`)].sort(),
  );

  asked.length = 0;
  const { stdout } = await pulumi("plugin", "ls", "--json");
  const installed = JSON.parse(stdout) as { name: string; version: string }[];
  expect(installed.map((one) => `${one.name} v${one.version}`).sort()).toEqual(
    pluginNames.map((name) => `${name} ${pluginRelease(name).version}`).sort(),
  );
  expect(asked).toEqual([]);
});

test("a plugin that is not what its release says is refused, and not installed", async () => {
  const [name] = pluginNames;
  const release = pluginRelease(name);
  await rm(join(folder, "pulumi-home"), { recursive: true });
  await rm(join(folder, "cache", "downloads", release.name), { recursive: true });
  files.set(`/${release.url.replace("https://", "")}`, tarOf("pulumi-resource-random"));
  const { code, stderr } = await pulumi("version");
  expect(code).toBe(1);
  expect(stderr).toMatch(/is not what its release says: its sha256 is [0-9a-f]{64}, not/);
  const plugins = join(folder, "pulumi-home", "plugins");
  const folders = existsSync(plugins) ? readdirSync(plugins) : [];
  expect(folders.filter((one) => one.startsWith(`resource-${name}-`))).toEqual([]);
});
