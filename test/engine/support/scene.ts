import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { ObjectApi } from "../../../cli/doctor/api.ts";
import { collect, type Known } from "../../../cli/doctor/collect/index.ts";
import { stackState } from "../../../cli/doctor/collect/state.ts";
import { parseState } from "../../../cli/state.ts";
import type { Evidence, StackLock } from "../../../cli/doctor/evidence.ts";
import type { KubeObject } from "../../../cli/doctor/kubernetes.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { refOf } from "../../../local/pulumi/kubernetes/cluster.ts";
import type { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import { textAt, type Props } from "../../../local/pulumi/values.ts";
import type { FaultCluster, Target } from "../../support/faults/cluster.ts";
import type { TrillianStandIn } from "../../support/trillian.ts";
import { SignerJobs } from "./jobs.ts";
import { KubernetesApi } from "./kubernetesApi.ts";
import { podsOf } from "./pods.ts";
import { Served } from "./served.ts";
import { listener } from "./served/http.ts";
import type { Ports } from "./served/process.ts";
import { ProgramUnderTest } from "./stack.ts";

/** Pods that go on with what they read when they started, until they are started anew. */
class ServedByProcesses extends Served {
  /** A port of the nodes that nobody gets through to. */
  unreachable: number | undefined;
  private readonly held = new Map<string, Ports>();
  /** What pods that start now serve, until something is written. */
  private readonly started = new Map<string, () => Ports>();

  /** From now on the pods of a namespace serve what they serve now, whatever becomes of objects. */
  hold(cluster: MemoryCluster, namespace: string): void {
    for (const pod of podsOf(cluster))
      if (refOf(pod).namespace === namespace) this.held.set(this.keyOf(pod), super.start(pod));
  }

  /** A new process reads anew. */
  release(name: string): void {
    this.held.delete(name);
  }

  /** Something was written: who starts now reads it. */
  forget(): void {
    this.started.clear();
  }

  protected override start(pod: Props): Ports {
    const held = this.held.get(this.keyOf(pod));
    if (held !== undefined) return held;
    const key = `${this.keyOf(pod)} ${JSON.stringify(pod["spec"])}`;
    const started = this.started.get(key) ?? once(() => super.start(pod));
    this.started.set(key, started);
    return started();
  }

  private keyOf(pod: Props): string {
    return textAt(pod, "metadata", "name");
  }
}

/** The first result again and again, or the first error. */
function once<T>(task: () => T): () => T {
  try {
    const result = task();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** A deployed stack as the program left it. */
export interface Deployed {
  cluster: MemoryCluster;
  trillian: TrillianStandIn;
  /** What `pulumi stack export` prints. */
  state: string;
}

/** A copy of a deployed stack to spoil: its objects, what its pods serve, its state, the clock. */
export class Scene {
  readonly cluster: MemoryCluster;
  readonly served: ServedByProcesses;
  readonly jobs: SignerJobs;
  state: string;
  locks: StackLock[] = [];
  /** Milliseconds by which the clock of the machine that looks is ahead of the cluster's. */
  ahead = 0;
  private readonly api: KubernetesApi;
  private readonly config: KubeConfig;

  private constructor(
    cluster: MemoryCluster,
    served: ServedByProcesses,
    jobs: SignerJobs,
    api: KubernetesApi,
    state: string,
  ) {
    this.cluster = cluster;
    this.served = served;
    this.jobs = jobs;
    this.api = api;
    this.state = state;
    this.config = new KubeConfig();
    this.config.loadFromFile(api.kubeconfig);
  }

  static async of({ cluster: original, trillian, state }: Deployed): Promise<Scene> {
    const cluster = original.clone();
    const jobs = new SignerJobs(cluster);
    const served = new ServedByProcesses(cluster, { standIn: trillian, address: "" });
    cluster.beforeWrite = (_verb, { kind, name }) => {
      if (kind === "Pod") served.release(name);
    };
    const written = cluster.afterWrite;
    cluster.afterWrite = (verb, object) => {
      served.forget();
      written(verb, object);
    };
    cluster.afterDelete = () => served.forget();
    const api = await KubernetesApi.serve(cluster, served);
    return new Scene(cluster, served, jobs, api, state);
  }

  get kubeconfig(): string {
    return this.api.kubeconfig;
  }

  /** The pods of a component go on with what they read until now. */
  hold(component: string): void {
    this.served.hold(this.cluster, `${this.outputs.prefix}-${component}`);
  }

  /** Objects as they were in a copy, version and all. */
  restore(right: MemoryCluster): void {
    this.cluster.become(right);
    this.served.forget();
  }

  get objects(): ObjectApi {
    return new ObjectApi(this.config);
  }

  get outputs(): StackOutputs {
    return this.known.state.outputs;
  }

  look(): Promise<Evidence> {
    const now = () => new Date(Date.now() + this.ahead);
    return collect(this.known, this.config, now);
  }

  private get known(): Known {
    const state = stackState(parseState(this.state, "the state"), "the state");
    return { state, locks: this.locks };
  }

  /** The stack as faults are done to it. */
  get target(): Target {
    return { cluster: new InMemory(this.cluster), outputs: this.outputs };
  }

  close(): Promise<void> {
    return this.api.close();
  }
}

export class InMemory implements FaultCluster {
  private readonly cluster: MemoryCluster;

  constructor(cluster: MemoryCluster) {
    this.cluster = cluster;
  }

  async list(apiVersion: string, kind: string, namespace: string): Promise<KubeObject[]> {
    const found = await this.cluster.list({ apiVersion, kind, namespace });
    return found as unknown as KubeObject[];
  }

  async write(object: KubeObject): Promise<void> {
    if (object["immutable"] === true) {
      await this.delete(object);
      await this.create(object);
    } else {
      await this.cluster.apply(object as unknown as Props, { fieldManager: "somebody" });
    }
  }

  async create(object: KubeObject): Promise<void> {
    await this.cluster.create(object as unknown as Props, { fieldManager: "somebody" });
  }

  async delete(object: KubeObject): Promise<void> {
    await this.cluster.delete(refOf(object as unknown as Props));
  }
}

/**
 * The node ports of a cluster in memory on 127.0.0.1: what stands behind them is what the Services
 * of the scene lead to that is on stage.
 */
export class NodePorts {
  stage: (Served & { unreachable?: number | undefined }) | undefined;
  private readonly servers: Server[] = [];

  /** Opens so many free ports. */
  async open(count: number): Promise<number[]> {
    return await Promise.all(
      Array.from({ length: count }, async () => {
        const server = createServer((request, response) => {
          const { port } = server.address() as AddressInfo;
          const { stage } = this;
          const [endpoint] = stage?.endpoints(`http://127.0.0.1:${port}`) ?? [];
          if (endpoint === undefined || stage?.unreachable === port) request.socket.destroy();
          else listener(endpoint.service)(request, response);
        });
        this.servers.push(server);
        await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
        return (server.address() as AddressInfo).port;
      }),
    );
  }

  close(): void {
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

/** The program's own stack, deployed on a cluster in memory with node ports on this machine. */
export async function deploy(
  ports: NodePorts,
): Promise<{ program: ProgramUnderTest; exposure: object }> {
  const program = await ProgramUnderTest.create();
  const [tuf, fulcio, tsa, ctLog, rekor] = await ports.open(5);
  const all = { tuf, fulcio, tsa, ctLog, rekor: { "1": rekor } };
  const exposure = { type: "nodePort", host: "127.0.0.1", ports: all };
  program.configure({ exposure });
  (await program.engine.up()).expectSuccess();
  return { program, exposure };
}

/** The stack as it is now, for copies. */
export async function snapshot({ engine, trillian }: ProgramUnderTest): Promise<Deployed> {
  const { text: state } = await engine.exportState();
  return { cluster: engine.cluster.clone(), trillian, state };
}

/** Runs a task on a copy of a stack. */
export async function onCopy<T>(
  deployed: Deployed,
  ports: NodePorts,
  task: (scene: Scene) => Promise<T>,
): Promise<T> {
  const scene = await Scene.of(deployed);
  ports.stage = scene.served;
  try {
    return await task(scene);
  } finally {
    await scene.close();
  }
}
