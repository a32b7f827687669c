import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import * as YAML from "yaml";
import { parseOutputs } from "../../../cli/verify/outputs.ts";
import type { Exposure } from "../../../infra/config/exposure.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { stackNamespaces } from "../../../infra/scaffold/names.ts";
import { fileBackend } from "../../../local/pulumi/backend.ts";
import { makeDeployer } from "../../../local/stack/deployer.ts";
import { stackFile } from "../../../local/stack/environment.ts";
import { pulumi, type PulumiRun } from "../../../local/stack/pulumi.ts";
import { pulumiYaml } from "../../../local/stack/stackFile.ts";
import { choosePulumi, type PulumiChoice } from "../../../local/stack/toolchain.ts";
import { adminKubeconfig } from "./node.ts";

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

/** What sets another stack apart from the local one. */
export interface Difference {
  /** Part of its prefix and of its name: `second` is anchorhold-second and local-second. */
  name: string;
  /** Values in place of the local stack's. */
  values: Record<string, unknown>;
}

/** Of no image: what OpenShift gives to a namespace's pods. */
export const arbitraryUser = 1_000_660_000;

/** Where Rekor keeps what the local stack does not keep. */
const rekorData = {
  "anchorhold:searchIndex": { size: "1Gi" },
  "anchorhold:attestations": { size: "1Gi", accessMode: "ReadWriteMany" },
};

interface DeployedFile {
  encryptionsalt: string;
  config: Record<string, unknown>;
}

const readDeployed = async () => YAML.parse(await readFile(stackFile, "utf8")) as DeployedFile;

/** The deployed local stack's other ports, another user, and Rekor's data on volumes. */
async function secondOne(): Promise<Difference> {
  const { config } = await readDeployed();
  const exposure = config["anchorhold:exposure"] as { ports: Ports };
  return {
    name: "second",
    values: {
      ...rekorData,
      "anchorhold:runAsUser": arbitraryUser,
      "anchorhold:exposure": { ...exposure, ports: otherPorts(exposure.ports) },
    },
  };
}

function administrator(): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromFile(adminKubeconfig());
  return config.makeApiClient(CoreV1Api);
}

/** Another stack of the same program on the same cluster, with a state of its own. */
export class SecondStack {
  readonly outputsFile: string;
  readonly namespaces: readonly string[];
  private readonly choice: PulumiChoice;
  private readonly folder: string;
  private readonly difference: Difference;

  private constructor(choice: PulumiChoice, folder: string, difference: Difference) {
    this.choice = choice;
    this.folder = folder;
    this.difference = difference;
    this.namespaces = stackNamespaces(this.prefix, [1]);
    this.outputsFile = join(folder, "outputs.json");
  }

  /** @throws Error with what Pulumi said when it does not come up */
  static async deploy(difference?: Difference): Promise<SecondStack> {
    const other = difference ?? (await secondOne());
    const folder = await mkdtemp(join(tmpdir(), `anchorhold-${other.name}-`));
    const stack = new SecondStack(await choosePulumi(() => undefined), folder, other);
    await mkdir(join(folder, "state"));
    const exposure = other.values["anchorhold:exposure"] as Exposure;
    await makeDeployer(adminKubeconfig(), { prefix: stack.prefix, rekor: [1], exposure });
    await writeFile(join(folder, "Pulumi.yaml"), "name: anchorhold\nruntime: nodejs\n");
    await stack.run(["stack", "init", stack.name], { cwd: folder });
    await stack.update();
    return stack;
  }

  /** Brings it to its configuration with some values in place of those it began with. */
  async update(values: Record<string, unknown> = {}): Promise<void> {
    const { encryptionsalt, config } = await readDeployed();
    const own = { ...config, ...this.difference.values, ...values };
    const file = join(this.folder, `Pulumi.${this.name}.yaml`);
    const text = pulumiYaml({
      encryptionsalt,
      config: { ...own, "anchorhold:prefix": this.prefix },
    });
    await writeFile(file, text);
    await this.run(["up", "--yes", "--skip-preview", "--config-file", file]);
    await writeFile(this.outputsFile, await this.run(["stack", "output", "--json"]));
  }

  /** What `pulumi stack export` prints. */
  exportState(): Promise<string> {
    return this.run(["stack", "export"]);
  }

  /** Every pod in its namespaces. */
  async pods(): Promise<V1Pod[]> {
    const core = administrator();
    const lists = this.namespaces.map((namespace) => core.listNamespacedPod({ namespace }));
    return (await Promise.all(lists)).flatMap(({ items }) => items);
  }

  /** Deletes every pod of its Rekor, Redis included, and waits until as many others are ready. */
  async replaceRekorPods(): Promise<void> {
    const core = administrator();
    const namespace = `${this.prefix}-rekor-1`;
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
    const read = this.namespaces.map((name) => core.readNamespace({ name }));
    const label = "pod-security.kubernetes.io/enforce";
    return new Set((await Promise.all(read)).map(({ metadata }) => metadata?.labels?.[label]));
  }

  async outputs(): Promise<StackOutputs> {
    return parseOutputs(await readFile(this.outputsFile, "utf8"), this.outputsFile);
  }

  /** Its namespaces and its state go; `destroy` would rightly refuse. */
  async remove(): Promise<void> {
    const core = administrator();
    for (const name of this.namespaces) await core.deleteNamespace({ name }).catch(() => undefined);
    const isOurs = (name = "") => name.startsWith(`${this.prefix}-`);
    while ((await core.listNamespace()).items.some(({ metadata }) => isOurs(metadata?.name)))
      await sleep(1_000);
    await rm(this.folder, { recursive: true });
  }

  private get prefix(): string {
    return `anchorhold-${this.difference.name}`;
  }

  private get name(): string {
    return `local-${this.difference.name}`;
  }

  private async run(args: string[], options: Partial<PulumiRun> = {}): Promise<string> {
    const env = {
      PULUMI_BACKEND_URL: fileBackend(join(this.folder, "state")),
      PULUMI_STACK: this.name,
    };
    const all = [...args, "--non-interactive", "--color", "never"];
    const result = await pulumi(this.choice, all, { stdio: "capture", ...options, env });
    if (result.code !== 0)
      throw new Error(`pulumi ${args[0]}:\n${result.stdout}\n${result.stderr}`);
    return result.stdout;
  }
}
