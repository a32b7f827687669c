import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import * as YAML from "yaml";
import { parseOutputs } from "../../../cli/verify/outputs.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { stackNamespaces } from "../../../infra/scaffold/names.ts";
import { fileBackend } from "../../../local/pulumi/backend.ts";
import { makeDeployer } from "../../../local/stack/deployer.ts";
import { stackFile } from "../../../local/stack/environment.ts";
import { pulumi, type PulumiRun } from "../../../local/stack/pulumi.ts";
import { pulumiYaml } from "../../../local/stack/stackFile.ts";
import { choosePulumi, type PulumiChoice } from "../../../local/stack/toolchain.ts";
import { adminKubeconfig } from "./node.ts";

const prefix = "anchorhold-second";
const spaces = { prefix, rekor: [1] };

interface Ports {
  [service: string]: number | Record<string, number>;
}

/** Each port a hundred higher. */
function otherPorts(ports: Ports): Ports {
  return Object.fromEntries(
    Object.entries(ports).map(([service, port]) => [
      service,
      typeof port === "number" ? port + 100 : (otherPorts(port) as Record<string, number>),
    ]),
  );
}

/** Of no image: what OpenShift gives to a namespace's pods. */
export const arbitraryUser = 1_000_660_000;

/** Where Rekor keeps what the local stack does not keep. */
const rekorData = {
  "anchorhold:searchIndex": { size: "1Gi" },
  "anchorhold:attestations": { size: "1Gi", accessMode: "ReadWriteMany" },
};

/**
 * The deployed local stack's configuration with another prefix, other ports, another user, and
 * Rekor's data on volumes.
 */
async function otherConfiguration(): Promise<string> {
  const { encryptionsalt, config } = YAML.parse(await readFile(stackFile, "utf8")) as {
    encryptionsalt: string;
    config: Record<string, unknown>;
  };
  const exposure = config["anchorhold:exposure"] as { ports: Ports };
  return pulumiYaml({
    encryptionsalt,
    config: {
      ...config,
      ...rekorData,
      "anchorhold:prefix": prefix,
      "anchorhold:runAsUser": arbitraryUser,
      "anchorhold:exposure": { ...exposure, ports: otherPorts(exposure.ports) },
    },
  });
}

function administrator(): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromFile(adminKubeconfig());
  return config.makeApiClient(CoreV1Api);
}

/** Another stack of the same program on the same cluster, with a state of its own. */
export class SecondStack {
  readonly outputsFile: string;
  private readonly choice: PulumiChoice;
  private readonly folder: string;

  private constructor(choice: PulumiChoice, folder: string) {
    this.choice = choice;
    this.folder = folder;
    this.outputsFile = join(folder, "outputs.json");
  }

  /** @throws Error with what Pulumi said when it does not come up */
  static async deploy(): Promise<SecondStack> {
    const folder = await mkdtemp(join(tmpdir(), "anchorhold-second-"));
    const stack = new SecondStack(await choosePulumi(() => undefined), folder);
    await mkdir(join(folder, "state"));
    await makeDeployer(adminKubeconfig(), spaces);
    await writeFile(join(folder, "Pulumi.yaml"), "name: anchorhold\nruntime: nodejs\n");
    await stack.run(["stack", "init", "local-second"], { cwd: folder });
    const file = join(folder, "Pulumi.local-second.yaml");
    await writeFile(file, await otherConfiguration());
    await stack.run(["up", "--yes", "--skip-preview", "--config-file", file]);
    await writeFile(stack.outputsFile, await stack.run(["stack", "output", "--json"]));
    return stack;
  }

  /** Every pod in its namespaces. */
  async pods(): Promise<V1Pod[]> {
    const core = administrator();
    const lists = stackNamespaces(prefix, spaces.rekor).map((namespace) =>
      core.listNamespacedPod({ namespace }),
    );
    return (await Promise.all(lists)).flatMap(({ items }) => items);
  }

  /** Deletes every pod of its Rekor, Redis included, and waits until as many others are ready. */
  async replaceRekorPods(): Promise<void> {
    const core = administrator();
    const namespace = `${prefix}-rekor-1`;
    const list = async () => (await core.listNamespacedPod({ namespace })).items;
    const isReady = ({ status }: V1Pod) =>
      status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;
    const before = await list();
    const former = new Set(before.map(({ metadata }) => metadata?.uid));
    for (const { metadata } of before)
      await core.deleteNamespacedPod({ namespace, name: metadata?.name ?? "" });
    for (let left = 120; left > 0; left -= 1) {
      const now = await list();
      const others = now.filter(({ metadata }) => !former.has(metadata?.uid)).filter(isReady);
      if (others.length === before.length && now.length === before.length) return;
      await sleep(1_000);
    }
    throw new Error(`the pods of ${namespace} were not replaced within two minutes`);
  }

  /** Which Pod Security Standards its namespaces enforce. */
  async podSecurity(): Promise<Set<string | undefined>> {
    const core = administrator();
    const read = stackNamespaces(prefix, spaces.rekor).map((name) => core.readNamespace({ name }));
    const label = "pod-security.kubernetes.io/enforce";
    return new Set((await Promise.all(read)).map(({ metadata }) => metadata?.labels?.[label]));
  }

  async outputs(): Promise<StackOutputs> {
    return parseOutputs(await readFile(this.outputsFile, "utf8"), this.outputsFile);
  }

  /** Its namespaces and its state go; `destroy` would rightly refuse. */
  async remove(): Promise<void> {
    const core = administrator();
    for (const name of stackNamespaces(prefix, spaces.rekor))
      await core.deleteNamespace({ name }).catch(() => undefined);
    const isOurs = (name = "") => name.startsWith(`${prefix}-`);
    while ((await core.listNamespace()).items.some(({ metadata }) => isOurs(metadata?.name)))
      await sleep(1_000);
    await rm(this.folder, { recursive: true });
  }

  private async run(args: string[], options: Partial<PulumiRun> = {}): Promise<string> {
    const env = {
      PULUMI_BACKEND_URL: fileBackend(join(this.folder, "state")),
      PULUMI_STACK: "local-second",
    };
    const all = [...args, "--non-interactive", "--color", "never"];
    const result = await pulumi(this.choice, all, { stdio: "capture", ...options, env });
    if (result.code !== 0)
      throw new Error(`pulumi ${args[0]}:\n${result.stdout}\n${result.stderr}`);
    return result.stdout;
  }
}
