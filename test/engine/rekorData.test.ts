import { spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../cli/trillian/client.ts";
import { ensureTree } from "../../cli/trillian/tree.ts";
import { databaseFlags } from "../../infra/platform/databaseFlags.ts";
import { postrenderPath } from "../../infra/scaffold/postrenderFiles.ts";
import { ensureProgram } from "../../local/tools/gobuild.ts";
import { services } from "../../local/tools/programs.ts";
import { keptAttestation, uploadAttestation } from "../support/attestation.ts";
import { freePort, MariaDb, trillianSchema, whySkipped } from "../support/mariadb.ts";
import { samples } from "../support/scaffoldSamples.ts";
import { findHelm, objects, projectDir } from "./support/helm.ts";

// The real Rekor with the flags that its pod has, on a real Trillian. The read-only root of the pod
// is a TMPDIR that nobody can write to.
const local = "127.0.0.1";

let database: MariaDb;
let folder: string;
let helm: string;
let rpc: number;
let treeId: string;
let rekorProgram: string;
const running: ChildProcess[] = [];

function start(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.resume();
  child.stderr.resume();
  running.push(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "anchorhold-rekor-"));
  const silent = () => undefined;
  const names = ["trillian-log-server", "trillian-log-signer", "rekor"] as const;
  const programs = names.map((name) => ensureProgram(services[name], silent));
  const [server, signer, rekor] = (await Promise.all(programs)) as [string, string, string];
  [database, helm, rekorProgram] = [await MariaDb.start(), await findHelm(), rekor];
  const login = { host: local, port: database.port, name: "trillian", user: "trillian" };
  await database.administer(`CREATE DATABASE trillian; USE trillian; ${await trillianSchema()}`);
  await database.administer(
    "CREATE USER 'trillian'@'%' IDENTIFIED BY 'test'; GRANT ALL ON trillian.* TO 'trillian'@'%'",
  );
  writeFileSync(join(folder, "flags"), databaseFlags(login, "test"));
  rpc = await freePort();
  const common = ["--storage_system=mysql", "--quota_system=mysql", `--config=${folder}/flags`];
  const at = async () => `--http_endpoint=${local}:${await freePort()}`;
  start(server, [...common, `--rpc_endpoint=${local}:${rpc}`, await at()]);
  const alone = ["--force_master", "--sequencer_interval=50ms"];
  const signerAt = `--rpc_endpoint=${local}:${await freePort()}`;
  start(signer, [...common, ...alone, signerAt, await at()]);
  const trillian = connect(`${local}:${rpc}`);
  const identity = { name: "rekor-1", description: "test" };
  treeId = await ensureTree(trillian, identity, { limitMs: 30_000, pauseMs: 200 });
  trillian.close();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(join(folder, "private"), pem, { mode: 0o600 });
  writeFileSync(join(folder, "sharding-config.yaml"), "");
});

afterEach(() => rmSync(join(folder, "attestations"), { recursive: true, force: true }));
afterAll(async () => {
  await Promise.all(running.map(end));
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The flags of a sample's Rekor, with what a cluster would give it in other places here. */
function flags(exposure: string, release: string, port: number): string[] {
  const sample = samples[exposure]!.find((one) => one.release === release)!;
  const chart = "./local/chart/scaffold";
  const found = objects(helm, chart, sample, postrenderPath(projectDir)).find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name === `${release}-server`,
  );
  const { template } = found?.spec as { template: { spec: { containers: { args: string[] }[] } } };
  const args = template.spec.containers[0]!.args.map((arg) =>
    arg
      .replace("$(TREE_ID)", treeId)
      .replace("=/key/", `=${folder}/`)
      .replace("=/sharding/", `=${folder}/`)
      .replace("file:///var/run/", `file://${folder}/`)
      .replace("=0.0.0.0", `=${local}`)
      .replace(/(trillian_log_server\.address)=.*/, `$1=${local}`)
      .replace(/(trillian_log_server\.port)=.*/, `$1=${rpc}`)
      .replace(/(redis_server\.address)=.*/, `$1=${local}`),
  );
  return [...args, `--port=${port}`];
}

interface Rekor {
  url: string;
  server: ChildProcess;
}

/** Starts Rekor and waits until it answers. */
async function rekor(
  change: (args: string[]) => string[],
  ...sample: [string, string]
): Promise<Rekor> {
  mkdirSync(join(folder, "attestations"), { recursive: true });
  const port = await freePort();
  const args = change(flags(...sample, port));
  const server = start(rekorProgram, args, { HOME: folder, TMPDIR: "/proc" });
  const url = `http://${local}:${port}`;
  let said = "";
  for (const stream of [server.stdout, server.stderr])
    stream?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  for (let left = 150; left > 0 && server.exitCode === null; left -= 1) {
    const answer = await fetch(`${url}/ping`).catch(() => undefined);
    if (answer?.ok) return { url, server };
    await sleep(100);
  }
  throw new Error(`Rekor did not start:\n${said}`);
}

const asItIs = (args: string[]) => args;
const onClaim: [string, string] = ["clusterIP", "rekor-2"];

/** Rekor stores after it has answered. */
async function kept(url: string, logIndex: string): Promise<string | undefined> {
  for (let left = 30; left > 0; left -= 1) {
    const found = await keptAttestation(url, logIndex);
    if (found !== undefined) return found;
    await sleep(100);
  }
  return undefined;
}

describe.skipIf(whySkipped !== "")(`attestations on their claim${whySkipped}`, () => {
  test("are there after Rekor has ended and another one began", async () => {
    const first = await rekor(asItIs, ...onClaim);
    const { statement, logIndex } = await uploadAttestation(first.url, "kept");
    expect(await kept(first.url, logIndex)).toBe(statement);
    expect(readdirSync(join(folder, "attestations")).length).toBeGreaterThan(0);
    await end(first.server);
    const second = await rekor(asItIs, ...onClaim);
    expect(await keptAttestation(second.url, logIndex)).toBe(statement);
    await end(second.server);
  });

  test("would be lost without a word as the chart has them: why there is a flag more", async () => {
    const chartsOwn = (args: string[]) => args.filter((arg) => !arg.includes("no_tmp_dir"));
    const { url, server } = await rekor(chartsOwn, ...onClaim);
    const { logIndex } = await uploadAttestation(url, "lost");
    expect(await kept(url, logIndex)).toBeUndefined();
    expect(readdirSync(join(folder, "attestations"))).toEqual([]);
    await end(server);
  });
});

describe.skipIf(whySkipped !== "")(`a log without a search index${whySkipped}`, () => {
  test("takes entries and shows them, and answers a search with what it is: not there", async () => {
    const { url, server } = await rekor(asItIs, "noSearch", "rekor-1");
    const { logIndex } = await uploadAttestation(url, "no search");
    expect(await keptAttestation(url, logIndex)).toBeUndefined();
    const search = await fetch(`${url}/api/v1/index/retrieve`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ hash: `sha256:${"0".repeat(64)}` }),
    });
    expect(search.status).toBe(501);
    await end(server);
  });
});
