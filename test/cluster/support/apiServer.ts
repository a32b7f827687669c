import { spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { ensurePackages, ensureTools } from "../../../local/tools/index.ts";
import { run, type Run } from "./process.ts";
import { freePort } from "./registry.ts";

/** An API server with its etcd on loopback and nothing else: it keeps objects and judges them. */
export interface ApiServer {
  /** The file that leads its administrator there. */
  kubeconfig: string;
  /** kubectl with these arguments; the objects are given to it as a file. */
  kubectl(args: readonly string[], objects?: readonly object[]): Promise<Run>;
  close(): Promise<void>;
}

const report = (line: string) => process.stderr.write(`  ${line}\n`);

/**
 * Starts the API server that `npm start` builds, in a folder that is gone at `close`.
 * @param flags more of its flags, without dashes
 */
export async function startApiServer(
  flags: Readonly<Record<string, string>> = {},
): Promise<ApiServer> {
  const { kubernetes } = await ensureTools(["kubernetes"], report);
  const binaries = dirname(kubernetes!);
  const folder = await mkdtemp(join(tmpdir(), "anchorhold-api-server-"));
  const processes: ChildProcess[] = [];
  const close = async () => {
    await Promise.all(processes.map(ended));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const etcd = await startEtcd(folder, processes);
    const program = join(binaries, "kube-apiserver");
    const server = await startServer(program, { folder, etcd, processes, flags });
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, kubeconfigOf(server, folder), { mode: 0o600 });
    const kubectl: ApiServer["kubectl"] = async (args, objects) => {
      const file = join(folder, "objects.json");
      const list = { apiVersion: "v1", kind: "List", items: objects };
      if (objects !== undefined) await writeFile(file, JSON.stringify(list));
      const given = objects === undefined ? [] : ["--filename", file];
      return run(join(binaries, "kubectl"), ["--kubeconfig", kubeconfig, ...args, ...given]);
    };
    await until("the API server is ready", processes, async () => {
      const { code } = await kubectl(["get", "--raw", "/readyz"]);
      return code === 0;
    });
    return { kubeconfig, kubectl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startEtcd(folder: string, processes: ChildProcess[]): Promise<string> {
  const [clients, peers] = (await Promise.all([freePort(), freePort()])).map(
    (port) => `http://127.0.0.1:${port}`,
  );
  const flags = {
    name: "one",
    "data-dir": join(folder, "etcd"),
    "listen-client-urls": clients,
    "advertise-client-urls": clients,
    "listen-peer-urls": peers,
    "initial-advertise-peer-urls": peers,
    "initial-cluster": `one=${peers}`,
    "unsafe-no-fsync": "true",
  };
  await ensurePackages(report);
  processes.push(start("etcd", flags));
  return clients!;
}

interface Surroundings {
  folder: string;
  etcd: string;
  processes: ChildProcess[];
  flags: Readonly<Record<string, string>>;
}

/** @returns address and token */
async function startServer(
  program: string,
  { folder, etcd, processes, flags }: Surroundings,
): Promise<{ url: string; token: string }> {
  const port = await freePort();
  const token = randomBytes(16).toString("hex");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = join(folder, "accounts.key");
  await writeFile(key, privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
  await writeFile(join(folder, "tokens"), `${token},tester,tester\n`, { mode: 0o600 });
  processes.push(
    start(program, {
      "advertise-address": "127.0.0.1",
      "bind-address": "127.0.0.1",
      "secure-port": String(port),
      // It makes itself a certificate, which the kubeconfig names.
      "cert-dir": join(folder, "certificates"),
      "etcd-servers": etcd,
      "token-auth-file": join(folder, "tokens"),
      "authorization-mode": "AlwaysAllow",
      "service-account-issuer": "https://kubernetes.default.svc",
      "service-account-key-file": key,
      "service-account-signing-key-file": key,
      "service-cluster-ip-range": "10.0.0.0/24",
      ...flags,
    }),
  );
  return { url: `https://127.0.0.1:${port}`, token };
}

function start(program: string, flags: Readonly<Record<string, string | undefined>>): ChildProcess {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return spawn(program, args, { stdio: "ignore" });
}

function kubeconfigOf({ url, token }: { url: string; token: string }, folder: string): string {
  const authority = join(folder, "certificates", "apiserver.crt");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "own",
    clusters: [{ name: "own", cluster: { server: url, "certificate-authority": authority } }],
    users: [{ name: "own", user: { token } }],
    contexts: [{ name: "own", context: { cluster: "own", user: "own" } }],
  });
}

/** Asks again and again; a process that ends meanwhile is the answer as well. */
async function until(
  what: string,
  processes: readonly ChildProcess[],
  ask: () => Promise<boolean>,
): Promise<void> {
  for (let tries = 0; !(await ask()); tries += 1) {
    const dead = processes.find(({ exitCode }) => exitCode !== null);
    if (dead !== undefined) throw new Error(`${dead.spawnfile} ended with ${dead.exitCode}`);
    if (tries > 240) throw new Error(`timed out: ${what}`);
    await sleep(500);
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.pid === undefined) return resolve();
    child.on("close", () => resolve());
    child.kill();
  });
}
