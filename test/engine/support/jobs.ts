import { ApiError, type ConfigMap } from "../../../infra/platform/tuf/program/configMap.ts";
import { run, type StateObject } from "../../../infra/platform/tuf/program/run.ts";
import { keyJson } from "../../../infra/trust/tuf/signature.ts";
import type { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import { listAt, objectAt, textAt, type Props } from "../../../local/pulumi/values.ts";

/** A pod's volumes as folders: name of the volume → path of the file → text. */
type Mounts = Record<string, Record<string, string>>;

/**
 * Plays the Job controller and the nodes for the signer's Jobs in a cluster in memory: what a pod
 * would run is run here, on what the pod would be mounted.
 */
export class SignerJobs {
  /** Set by a test: the Jobs that start from now on fail. */
  broken = false;
  private readonly cluster: MemoryCluster;
  private readonly states = new Map<string, "running" | "failed">();

  constructor(cluster: MemoryCluster) {
    this.cluster = cluster;
    const before = cluster.status;
    cluster.status = (object) => this.statusOf(object) ?? before(object);
    cluster.afterWrite = (verb, object) => {
      if (verb === "create" && isSignerJob(object)) void this.start(object);
    };
  }

  /** Runs what the CronJob runs when its time comes; the message is what the pod would log. */
  async runSchedule(namespace: string): Promise<string> {
    const ref = { apiVersion: "batch/v1", kind: "CronJob", namespace, name: "tuf-timestamp" };
    const cronJob = await this.cluster.get(ref);
    if (cronJob === undefined) throw new Error("no CronJob");
    return this.sign(
      namespace,
      objectAt(cronJob, "spec", "jobTemplate", "spec", "template", "spec"),
    );
  }

  private async start(job: Props): Promise<void> {
    const uid = textAt(job, "metadata", "uid");
    this.states.set(uid, "running");
    try {
      if (this.broken) throw new Error("broken by the test");
      const pod = objectAt(job, "spec", "template", "spec");
      await this.sign(textAt(job, "metadata", "namespace"), pod);
      this.states.delete(uid);
    } catch {
      this.states.set(uid, "failed");
    }
  }

  private statusOf(object: Props): Props | undefined {
    if (!isSignerJob(object)) return undefined;
    const state = this.states.get(textAt(object, "metadata", "uid"));
    if (state === "running") return { active: 1 };
    const reason = { reason: "BackoffLimitExceeded", message: "Job has reached its backoff limit" };
    if (state === "failed") return { conditions: [{ type: "Failed", status: "True", ...reason }] };
    return undefined;
  }

  private async sign(namespace: string, pod: Props): Promise<string> {
    const [container] = listAt(pod, "containers");
    const flags = flagsOf((container?.["args"] ?? []) as string[]);
    const { key, snapshot } = await mountsOf(this.cluster, namespace, pod);
    const privateKeyPem = key!["key.pem"]!;
    return run(new StateInMemory(this.cluster, flags["namespace"]!, flags["object"]!), {
      snapshot: snapshot!["snapshot.json"]!,
      key: { privateKeyPem, publicKeyPem: keyJson(privateKeyPem).keyval.public },
      lifeSeconds: Number(flags["life"]),
    });
  }
}

/** The object with the signed timestamps, with the API server's rule for concurrent writers. */
class StateInMemory implements StateObject {
  private readonly cluster: MemoryCluster;
  private readonly ref;

  constructor(cluster: MemoryCluster, namespace: string, name: string) {
    this.cluster = cluster;
    this.ref = { apiVersion: "v1", kind: "ConfigMap", namespace, name };
  }

  async read(): Promise<ConfigMap> {
    const object = await this.cluster.get(this.ref);
    if (object === undefined) throw new ApiError(404, `${this.ref.name} not found`);
    return object as unknown as ConfigMap;
  }

  async replace(object: ConfigMap): Promise<void> {
    const { metadata } = await this.read();
    if (metadata.resourceVersion !== object.metadata.resourceVersion) {
      throw new ApiError(409, "the object has been modified");
    }
    await this.cluster.apply(object as unknown as Props, { fieldManager: "tuf-signer" });
  }
}

/**
 * The files that a pod's Secrets and ConfigMaps give it, by volume.
 * @throws when an object or one of its items is missing: such a pod does not start
 */
export async function mountsOf(
  cluster: MemoryCluster,
  namespace: string,
  pod: Props,
): Promise<Mounts> {
  const mounts: Mounts = {};
  for (const volume of listAt(pod, "volumes")) {
    const [kind, source] =
      "secret" in volume
        ? ["Secret", objectAt(volume, "secret")]
        : ["ConfigMap", objectAt(volume, "configMap")];
    const name = textAt(source, "secretName") || textAt(source, "name");
    if (name === "") continue;
    const object = await cluster.get({ apiVersion: "v1", kind, namespace, name });
    mounts[textAt(volume, "name")] = filesOf(
      kind,
      objectAt(object, "data"),
      listAt(source, "items"),
    );
  }
  return mounts;
}

function filesOf(kind: string, data: Props, items: Props[]): Record<string, string> {
  const text = (key: string): string => {
    const value = data[key];
    if (typeof value !== "string") throw new Error(`references non-existent config key: ${key}`);
    return kind === "Secret" ? Buffer.from(value, "base64").toString() : value;
  };
  const wanted =
    items.length > 0
      ? items.map((item) => [textAt(item, "path"), textAt(item, "key")] as const)
      : Object.keys(data).map((key) => [key, key] as const);
  return Object.fromEntries(wanted.map(([path, key]) => [path, text(key)]));
}

function isSignerJob(object: Props): boolean {
  const name = textAt(objectAt(object, "metadata", "labels"), "app.kubernetes.io/name");
  return object["kind"] === "Job" && name === "tuf-signer";
}

/** `--name value` pairs. */
function flagsOf(args: readonly string[]): Record<string, string> {
  const pairs = args.flatMap((name, at) =>
    name.startsWith("--") ? [[name.slice(2), args[at + 1] ?? ""] as const] : [],
  );
  return Object.fromEntries(pairs);
}
