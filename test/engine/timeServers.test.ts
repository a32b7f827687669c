import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ntpFile, ntpSchema } from "../../infra/config/ntp.ts";
import { ntpFolder } from "../../infra/scaffold/postrender/outward.ts";
import { ensureProgram } from "../../local/tools/gobuild.ts";
import { services } from "../../local/tools/programs.ts";
import { freePort } from "../support/mariadb.ts";
import { NtpServerStandIn, type NtpFaults } from "../support/ntpServer.ts";

// The real timestamp-server with the file that its ConfigMap has. Its metrics are on a fixed port, so
// one runs after the other.
const metricsUrl = "http://127.0.0.1:2112/metrics";

let program: string;
let folder: string;
let servers: NtpServerStandIn[];
let running: { child: ChildProcess; said: string; port: number } | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "anchorhold-tsa-"));
  servers = await Promise.all([1, 2, 3].map(() => NtpServerStandIn.start()));
  program = await ensureProgram(services["timestamp-server"], () => undefined);
});
afterEach(async () => {
  const child = running?.child;
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
  }
  running = undefined;
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts it as its pod does: the variable names the file. */
async function start(file: string): Promise<void> {
  const port = await freePort();
  const path = join(folder, "ntp.yaml");
  writeFileSync(path, file);
  const args = ["serve", "--host=127.0.0.1", `--port=${port}`, "--timestamp-signer=memory"];
  const env = { HOME: folder, [ntpFolder.variable.name]: path };
  const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  const state = { child, said: "", port };
  child.stderr.on("data", (chunk: Buffer) => (state.said += chunk.toString()));
  running = state;
}

const file = () =>
  ntpFile(
    ntpSchema.parse({
      servers: servers.map(({ address }) => address),
      requestTimeout: 1,
      period: 1,
    }),
  );

/** The value of a metric as soon as it has one above 0; undefined after half a minute. */
async function metric(name: string): Promise<number | undefined> {
  for (let left = 150; left > 0; left -= 1) {
    const text = await fetch(metricsUrl).then(
      (answer) => answer.text(),
      () => "",
    );
    const line = text.split("\n").find((one) => one.startsWith(name));
    const value = Number(line?.split(" ").at(-1) ?? 0);
    if (value > 0) return value;
    await sleep(200);
  }
  return undefined;
}

/** The HTTP status of a request for a timestamp. */
async function timestamp(): Promise<number> {
  const body = { artifactHash: "A".repeat(43) + "=", hashAlgorithm: "sha256", nonce: 7 };
  const answer = await fetch(`http://127.0.0.1:${running?.port}/api/v1/timestamp`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return answer.status;
}

const fail = (faults: NtpFaults) => servers.forEach((server) => (server.faults = faults));

describe("the timestamp server with anchorhold:ntp", () => {
  test("asks every server, and agrees", async () => {
    fail({});
    await start(file());
    for (const { address } of servers)
      expect(
        await metric(`timestamp_authority_ntp_sync_total{failed="false",host="${address}"}`),
      ).toBeGreaterThan(0);
    expect(await timestamp()).toBe(200);
    expect(running?.said).toContain("using custom ntp monitoring config");
    expect(running?.said).not.toContain("local time is different");
  });

  test("counts a clock that differs, and goes on signing", async () => {
    fail({ ahead: 60 });
    await start(file());
    const errors = 'timestamp_authority_ntp_errors_total{reason="err_inv_time"}';
    expect(await metric(errors)).toBeGreaterThan(0);
    expect(running?.said).toContain("local time is different");
    expect(await timestamp()).toBe(200);
  });

  test("counts servers that are out of reach, says so, and goes on signing", async () => {
    fail({ silent: true });
    await start(file());
    const errors = 'timestamp_authority_ntp_errors_total{reason="err_too_few"}';
    expect(await metric(errors)).toBeGreaterThan(0);
    expect(running?.said).toContain("ntp response timeout from");
    expect(await timestamp()).toBe(200);
  });

  test("ends at once with a threshold that cannot be met: why such a configuration is refused", async () => {
    await start(file().replace('"server_threshold": 2', '"server_threshold": 4'));
    for (let left = 100; left > 0 && running?.child.exitCode === null; left -= 1) await sleep(100);
    expect(running?.child.exitCode).toBe(1);
    expect(running?.said).toContain("too few ntp servers configured");
  });
});
