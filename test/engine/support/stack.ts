import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import { ownConfig, type ShippedStack, type Values } from "../../support/stacks.ts";
import { TrillianStandIn, type TrillianDump } from "../../support/trillian.ts";
import { Engine } from "./engine.ts";
import { SignerJobs } from "./jobs.ts";
import { KubernetesApi } from "./kubernetesApi.ts";
import { Served } from "./served.ts";
import { trySign, type Signing } from "./signer.ts";

export const repository = resolve(import.meta.dirname, "../../..");

/** Where the shipped local stack serves TUF. */
export const mirrorUrl = "http://localhost:31080";

const standInChart = "local/chart/scaffold";
let chartCopy: string | undefined;

/** Outside `local` the program refuses the stand-in chart, so a copy elsewhere passes for the real one. */
function chartOf(stack: ShippedStack): string {
  if (stack === "local") return `./${standInChart}`;
  if (chartCopy === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "anchorhold-chart-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    chartCopy = join(folder, standInChart);
    cpSync(join(repository, standInChart), chartCopy, { recursive: true });
  }
  return chartCopy;
}

/** A shipped stack, with the stand-in chart and a Trillian at `address`. */
function shippedConfig(stack: ShippedStack, address: string, changes: Values): Values {
  return {
    ...ownConfig(stack),
    "anchorhold:chart": { path: chartOf(stack) },
    "anchorhold:treeAccess": { type: "given", address },
    ...Object.fromEntries(
      Object.entries(changes).map(([key, value]) => [`anchorhold:${key}`, value]),
    ),
  };
}

/** A state of the whole: stack, cluster, Trillian. Its folder is the caller's to remove. */
export interface Saved {
  folder: string;
  cluster: MemoryCluster;
  trillian: TrillianDump;
}

/**
 * The program of this repository on the real engine, with a cluster and a Trillian in memory, what
 * its pods serve, and a KUBECONFIG that leads there.
 */
export class ProgramUnderTest {
  readonly engine: Engine;
  readonly trillian: TrillianStandIn;
  readonly served: Served;
  readonly signerJobs: SignerJobs;
  private readonly api: KubernetesApi;
  private readonly config: (changes: Values) => Values;

  private constructor(
    engine: Engine,
    trillian: TrillianStandIn,
    served: Served,
    api: KubernetesApi,
    config: (changes: Values) => Values,
  ) {
    this.engine = engine;
    this.signerJobs = new SignerJobs(engine.cluster);
    this.trillian = trillian;
    this.served = served;
    this.api = api;
    this.config = config;
  }

  /**
   * @param cluster default: an empty one
   * @param project folder of the program; default: this repository
   * @param stack the shipped one, and its name
   * @param env more for Pulumi, such as another passphrase
   */
  static async create(
    cluster = new MemoryCluster(),
    project = repository,
    stack: ShippedStack = "local",
    env: NodeJS.ProcessEnv = {},
  ): Promise<ProgramUnderTest> {
    const trillian = new TrillianStandIn();
    const address = await trillian.listen();
    const served = new Served(cluster, { standIn: trillian, address });
    const api = await KubernetesApi.serve(cluster, served);
    const config = (changes: Values) => shippedConfig(stack, address, changes);
    const engine = await Engine.create({
      project,
      stack,
      config: config({}),
      cluster,
      env: { KUBECONFIG: api.kubeconfig, ...env },
    });
    return new ProgramUnderTest(engine, trillian, served, api, config);
  }

  /** Path of a kubeconfig that leads to the cluster in memory. */
  get kubeconfig(): string {
    return this.api.kubeconfig;
  }

  /** Replaces the configuration: the shipped one with these changes. */
  configure(changes: Values = {}): void {
    this.engine.setConfig(this.config(changes));
  }

  /** All that there is, to come back to with `restore`. */
  save(): Saved {
    const folder = mkdtempSync(join(tmpdir(), "anchorhold-saved-"));
    this.engine.saveTo(folder);
    return { folder, cluster: this.engine.cluster.clone(), trillian: this.trillian.dump() };
  }

  async restore({ folder, cluster, trillian }: Saved): Promise<void> {
    await this.engine.restoreFrom(folder);
    this.engine.cluster.become(cluster);
    this.trillian.load(trillian);
  }

  /** An attempt to sign and verify, as a client would. */
  trySign(): Promise<Signing> {
    return trySign(this.served, mirrorUrl);
  }

  async close(): Promise<void> {
    await this.engine.close();
    await this.api.close();
    this.trillian.close();
  }
}
