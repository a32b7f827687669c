import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheDir } from "../../../local/paths.ts";
import { ensureProgram, moduleSource } from "../../../local/tools/gobuild.ts";
import { policyController } from "../../../local/tools/programs.ts";
import { ensureStored } from "../../../local/tools/store.ts";
import { startApiServer, type ApiServer } from "./apiServer.ts";

/** An API server whose pods policy-controller judges, where their namespace asks for it. */
export interface GuardedServer extends ApiServer {
  /** The end of what policy-controller has said. */
  said(): string;
}

/** Namespace and Service, as its own definitions name them. */
const [namespace, service] = ["cosign-system", "webhook"];
/** The program knows no other. */
const port = 8443;

const report = (line: string) => process.stderr.write(`  ${line}\n`);

/**
 * Starts an API server and the policy-controller that is built from its Go module, a process beside
 * it, with the module's own definitions, settings and webhooks.
 * @param flags of policy-controller
 */
export async function startGuardedServer(...flags: string[]): Promise<GuardedServer> {
  const program = await ensureProgram(policyController, report);
  const definitions = await ownDefinitions();
  // Nothing forwards a Service's address here: the server itself must look up who is behind it.
  const server = await startApiServer({ "enable-aggregator-routing": "true" });
  let stop = () => server.close();
  try {
    for (const file of definitions) await must(server, ["create", "--filename", file]);
    await must(server, ["apply", "--server-side", "--force-conflicts"], [...behindTheService()]);
    const controller = await startController(program, server, flags);
    stop = async () => {
      await controller.stop();
      await server.close();
    };
    await until("policy-controller is ready", async () => {
      if (controller.ended()) throw new Error(`policy-controller ended: ${controller.said()}`);
      return asks(server);
    });
    return { ...server, close: stop, said: controller.said };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The module's files, without the Deployment and its rights: the process stands for them. */
async function ownDefinitions(): Promise<string[]> {
  const directory = join(cacheDir, "definitions", `policy-controller-${policyController.version}`);
  const download = async (draft: string): Promise<void> => {
    const module = join(draft, "go.mod");
    await writeFile(module, "module definitions\n");
    const config = join(await moduleSource(policyController, draft), "config");
    for (const name of await readdir(config))
      if (/^(100|300|500|501|config)-.*\.yaml$/.test(name))
        await copyFile(join(config, name), join(draft, name));
    await rm(module);
  };
  await ensureStored(directory, "policy-controller's definitions", download, () => undefined);
  return (await readdir(directory)).sort().map((name) => join(directory, name));
}

/** The Service that the webhooks name, the process behind it, and no metrics. */
function behindTheService(): object[] {
  const metadata = { name: service, namespace };
  const address = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  if (address === undefined)
    throw new Error("this machine has no address but loopback, which no Service may lead to");
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { ports: [{ name: "https", port: 443 }] },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": service } },
      addressType: "IPv4",
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: "https", port, protocol: "TCP" }],
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "config-observability", namespace },
      data: { "metrics.backend-destination": "none" },
    },
  ];
}

async function startController(program: string, server: ApiServer, flags: readonly string[]) {
  const home = await mkdtemp(join(tmpdir(), "anchorhold-policy-controller-"));
  const child = spawn(program, flags, {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: home,
      KUBECONFIG: server.kubeconfig,
      SYSTEM_NAMESPACE: namespace,
      CONFIG_LOGGING_NAME: "config-logging",
      METRICS_DOMAIN: "sigstore.dev/policy",
      WEBHOOK_NAME: service,
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-20_000)));
  const ended = once(child, "close");
  return {
    said: () => said,
    ended: () => child.exitCode !== null,
    stop: async () => {
      // On SIGTERM it would go on serving for a minute, for clients of a cluster.
      child.kill("SIGKILL");
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Whether the API server asks it about everything: it writes its rules and authority itself. */
async function asks(server: ApiServer): Promise<boolean> {
  const kinds = "mutatingwebhookconfigurations,validatingwebhookconfigurations";
  const { stdout } = await server.kubectl(["get", kinds, "--output=json"]);
  const { items } = JSON.parse(stdout) as {
    items: { webhooks: { rules?: unknown[]; clientConfig: { caBundle?: string } }[] }[];
  };
  const webhooks = items.flatMap((item) => item.webhooks);
  const known = webhooks.filter(({ rules, clientConfig }) => rules && clientConfig.caBundle);
  if (webhooks.length === 0 || known.length < webhooks.length) return false;
  const nobody = { name: "nobody" };
  const spec = { images: [{ glob: "nowhere/**" }], authorities: [{ static: { action: "fail" } }] };
  const policy = { apiVersion: "policy.sigstore.dev/v1beta1", kind: "ClusterImagePolicy" };
  const dry = ["create", "--dry-run=server"];
  return (await server.kubectl(dry, [{ ...policy, metadata: nobody, spec }])).code === 0;
}

async function must(server: ApiServer, args: readonly string[], objects?: object[]) {
  const { code, stdout, stderr } = await server.kubectl(args, objects);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stdout}${stderr}`);
}

async function until(what: string, ask: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await ask()); tries += 1) {
    if (tries > 120) throw new Error(`timed out: ${what}`);
    await sleep(500);
  }
}
