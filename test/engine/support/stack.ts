import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import { TrillianStandIn, type TrillianDump } from "../../support/trillian.ts";
import { Engine } from "./engine.ts";
import { SignerJobs } from "./jobs.ts";
import { KubernetesApi } from "./kubernetesApi.ts";
import { Served } from "./served.ts";
import { trySign, type Signing } from "./signer.ts";

export const repository = resolve(import.meta.dirname, "../../..");

/** Where the shipped local stack serves TUF. */
export const mirrorUrl = "http://localhost:31080";

type Values = Record<string, unknown>;

/** The shipped local stack, with the stand-in chart and a Trillian at `address`. */
export function localConfig(address: string, changes: Values = {}): Values {
  const text = readFileSync(join(repository, "stacks", "Pulumi.local.yaml"), "utf8");
  const { config } = parse(text) as { config: Values };
  return {
    ...config,
    "anchorhold:chart": { path: "./local/chart/scaffold" },
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
  private readonly address: string;

  private constructor(
    engine: Engine,
    trillian: TrillianStandIn,
    served: Served,
    api: KubernetesApi,
    address: string,
  ) {
    this.engine = engine;
    this.signerJobs = new SignerJobs(engine.cluster);
    this.trillian = trillian;
    this.served = served;
    this.api = api;
    this.address = address;
  }

  /**
   * @param cluster default: an empty one
   * @param project folder of the program; default: this repository
   */
  static async create(
    cluster = new MemoryCluster(),
    project = repository,
  ): Promise<ProgramUnderTest> {
    const trillian = new TrillianStandIn();
    const address = await trillian.listen();
    const served = new Served(cluster, { standIn: trillian, address });
    const api = await KubernetesApi.serve(cluster, served);
    const engine = await Engine.create({
      project,
      stack: "local",
      config: localConfig(address),
      cluster,
      env: { KUBECONFIG: api.kubeconfig },
    });
    return new ProgramUnderTest(engine, trillian, served, api, address);
  }

  /** Path of a kubeconfig that leads to the cluster in memory. */
  get kubeconfig(): string {
    return this.api.kubeconfig;
  }

  /** Replaces the configuration: the shipped one with these changes. */
  configure(changes: Values = {}): void {
    this.engine.setConfig(localConfig(this.address, changes));
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
