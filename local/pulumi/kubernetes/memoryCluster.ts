import { randomUUID } from "node:crypto";
import {
  equal,
  isObject,
  listAt,
  numberAt,
  objectAt,
  textAt,
  type Props,
  type Value,
} from "../values.ts";
import {
  ApiError,
  refOf,
  type Cluster,
  type Ref,
  type Scope,
  type WriteOptions,
} from "./cluster.ts";

const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
  ...["Namespace", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "StorageClass"],
  ...["CustomResourceDefinition", "PriorityClass", "IngressClass", "Node"],
]);

/** What a test may change about the status that an object gets; undefined leaves it. */
export type StatusHook = (object: Props) => Props | undefined;

function keyOf({ apiVersion, kind, namespace, name }: Ref): string {
  const place = CLUSTER_SCOPED.has(kind) ? "" : namespace || "default";
  return [apiVersion, kind, place, name].join("|");
}

/**
 * A cluster in memory: it keeps objects as an API server would and reports every workload as ready
 * at once. For tests of the program; it runs nothing.
 */
export class MemoryCluster implements Cluster {
  /** Lets a test report an object as not ready. */
  status: StatusHook = () => undefined;
  /** Called before each write; what it throws is the API server's refusal. */
  beforeWrite: (verb: "create" | "apply" | "delete", ref: Ref) => void = () => undefined;
  /** Called after each write: where a test plays a controller. */
  afterWrite: (verb: "create" | "apply", object: Props) => void = () => undefined;
  /** Called after each deletion. */
  afterDelete: (ref: Ref) => void = () => undefined;
  /** Of the Namespace kube-system, which every cluster has: it tells one cluster from another. */
  readonly uid: string;
  private readonly objects = new Map<string, Props>();
  private version = 1;

  constructor(uid: string = randomUUID()) {
    this.uid = uid;
  }

  /** The same cluster as it stands now, without the hooks; what is done to one does not show in the other. */
  clone(): MemoryCluster {
    const copy = new MemoryCluster(this.uid);
    copy.become(this);
    return copy;
  }

  /** Becomes what the other cluster is now; the hooks stay. */
  become({ objects }: MemoryCluster): void {
    this.objects.clear();
    for (const [key, object] of objects) this.objects.set(key, structuredClone(object));
  }

  scope(_apiVersion: string, kind: string): Promise<Scope> {
    return Promise.resolve(CLUSTER_SCOPED.has(kind) ? "cluster" : "namespaced");
  }

  get(ref: Ref): Promise<Props | undefined> {
    if (ref.kind === "Endpoints") return Promise.resolve(this.endpoints(ref));
    if (ref.kind === "Namespace" && ref.name === "kube-system")
      return Promise.resolve(systemNamespace(this.uid));
    const object = this.objects.get(keyOf(ref));
    return Promise.resolve(object && this.withStatus(object));
  }

  list(of: { apiVersion: string; kind: string; namespace: string }): Promise<Props[]> {
    return Promise.resolve(
      this.all().filter((object) => {
        const ref = refOf(object);
        const inside = of.namespace === "" || ref.namespace === of.namespace;
        return ref.apiVersion === of.apiVersion && ref.kind === of.kind && inside;
      }),
    );
  }

  create(object: Props, options: WriteOptions): Promise<Props> {
    return Promise.resolve().then(() => {
      const ref = refOf(object);
      if (ref.name === "") throw new ApiError(422, "Invalid", "metadata.name is required");
      this.requireNamespace(ref);
      this.refuseExisting(ref);
      return this.store(ref, withServerFields(object, options), options, "create");
    });
  }

  apply(object: Props, options: WriteOptions): Promise<Props> {
    return Promise.resolve().then(() => {
      const ref = refOf(object);
      const live = this.objects.get(keyOf(ref));
      if (live === undefined) throw missing(ref);
      refuseImmutable(live, object);
      refuseConflict(live, object, options);
      const metadata = { ...objectAt(live, "metadata"), ...objectAt(object, "metadata") };
      const specChanged = !equal(live["spec"], object["spec"]);
      const generation = numberAt(live, "metadata", "generation");
      const next = generation > 0 && specChanged ? { generation: generation + 1 } : {};
      const managedFields = claimed(live, object, options);
      const merged = { ...live, ...object, metadata: { ...metadata, ...next, managedFields } };
      return this.store(ref, merged, options, "apply");
    });
  }

  delete(ref: Ref): Promise<void> {
    return Promise.resolve().then(() => {
      this.beforeWrite("delete", ref);
      this.objects.delete(keyOf(ref));
      for (const [key, object] of ref.kind === "Namespace" ? this.objects : []) {
        if (refOf(object).namespace === ref.name) this.objects.delete(key);
      }
      this.afterDelete(ref);
    });
  }

  pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Every object, in the order of creation. */
  all(): Props[] {
    return [...this.objects.values()].map((object) => this.withStatus(object));
  }

  /** The object as it was written, without what a controller would add. */
  stored(ref: Ref): Props | undefined {
    return this.objects.get(keyOf(ref));
  }

  /** Creates or replaces an object behind Pulumi's back. */
  put(object: Props): void {
    const fields = { fieldManager: "test" };
    this.store(refOf(object), withServerFields(object, fields), fields, "create");
  }

  private store(ref: Ref, object: Props, options: WriteOptions, verb: "create" | "apply"): Props {
    if (options.dryRun) return object;
    this.beforeWrite(verb, ref);
    const metadata = { ...objectAt(object, "metadata"), resourceVersion: String(this.version++) };
    const stored = { ...object, metadata };
    this.objects.set(keyOf(ref), stored);
    this.afterWrite(verb, stored);
    return this.withStatus(stored);
  }

  private withStatus(object: Props): Props {
    const status = this.status(object) ?? readyStatus(object);
    return Object.keys(status).length === 0 ? object : { ...object, status };
  }

  private endpoints({ namespace, name }: Ref): Props | undefined {
    const service = this.objects.get(keyOf({ apiVersion: "v1", kind: "Service", namespace, name }));
    if (service === undefined) return undefined;
    const addresses = [{ ip: "10.0.0.1" }];
    return { apiVersion: "v1", kind: "Endpoints", metadata: { name }, subsets: [{ addresses }] };
  }

  private requireNamespace(ref: Ref): void {
    const { namespace, kind } = ref;
    if (CLUSTER_SCOPED.has(kind) || ["", "default", "kube-system"].includes(namespace)) return;
    const owner = { apiVersion: "v1", kind: "Namespace", namespace: "", name: namespace };
    if (!this.objects.has(keyOf(owner))) {
      throw new ApiError(404, "NotFound", `namespaces "${namespace}" not found`);
    }
  }

  private refuseExisting(ref: Ref): void {
    if (!this.objects.has(keyOf(ref))) return;
    const what = `${ref.kind.toLowerCase()}s "${ref.name}" already exists`;
    throw new ApiError(409, "AlreadyExists", what);
  }
}

function systemNamespace(uid: string): Props {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "kube-system", uid, creationTimestamp: "2026-01-01T00:00:00Z" },
    status: { phase: "Active" },
  };
}

/** A ConfigMap or Secret may forbid any later change of its content. */
function refuseImmutable(live: Props, object: Props): void {
  if (live["immutable"] !== true) return;
  for (const field of ["data", "binaryData", "stringData"]) {
    if (!(field in object) || equal(live[field], object[field])) continue;
    const { kind, name } = refOf(live);
    const why = "Forbidden: field is immutable when `immutable` is set";
    throw new ApiError(422, "Invalid", `${kind} "${name}" is invalid: ${field}: ${why}`);
  }
}

function missing(ref: Ref): ApiError {
  return new ApiError(404, "NotFound", `${ref.kind.toLowerCase()}s "${ref.name}" not found`);
}

/** What the server adds when an object is made. */
function withServerFields(object: Props, { fieldManager }: WriteOptions): Props {
  const metadata = {
    ...objectAt(object, "metadata"),
    managedFields: [
      { manager: fieldManager, operation: "Update", fieldsV1: markedFields(contentOf(object)) },
    ],
    creationTimestamp: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    uid: randomUUID(),
    ...(isObject(object["spec"]) && { generation: 1 }),
  };
  return { ...defaults(object), metadata };
}

/** The fields that are set by whoever writes the object. */
function contentOf(object: Props): string[] {
  return Object.keys(object).filter(
    (field) => !["apiVersion", "kind", "metadata", "status"].includes(field),
  );
}

function markedFields(fields: readonly string[]): Props {
  return Object.fromEntries(fields.map((field) => [`f:${field}`, {}]));
}

function changedFields(live: Props, object: Props): string[] {
  return contentOf(object).filter((field) => !equal(live[field], object[field]));
}

/** Server-side apply does not change what another manager has set, unless it is told to. */
function refuseConflict(live: Props, object: Props, { fieldManager, force }: WriteOptions): void {
  if (force !== false) return;
  const marks = changedFields(live, object).map((field) => `f:${field}`);
  for (const entry of listAt(live, "metadata", "managedFields").filter(isObject)) {
    const manager = textAt(entry, "manager");
    const mark = marks.find((one) => one in objectAt(entry, "fieldsV1"));
    if (mark === undefined || manager === fieldManager) continue;
    const what = `conflict with "${manager}": .${mark.slice(2)}`;
    throw new ApiError(409, "Conflict", `Apply failed with 1 conflict: ${what}`);
  }
}

/** Who has set which field, after a write: what it changes is the writer's from then on. */
function claimed(live: Props, object: Props, { fieldManager }: WriteOptions): Props[] {
  const changed = changedFields(live, object);
  const marks = changed.map((field) => `f:${field}`);
  const entries = listAt(live, "metadata", "managedFields").filter(isObject);
  const others = entries.map((entry) => ({
    ...entry,
    fieldsV1: Object.fromEntries(
      Object.entries(objectAt(entry, "fieldsV1")).filter(([mark]) => !marks.includes(mark)),
    ),
  }));
  if (changed.length === 0) return entries;
  const fieldsV1 = markedFields(changed);
  return [...others, { manager: fieldManager, operation: "Update", fieldsV1 }];
}

function defaults(object: Props): Props {
  const { kind, apiVersion } = refOf(object);
  if (apiVersion === "v1" && kind === "Secret") return { type: "Opaque", ...object };
  if (apiVersion !== "v1" || kind !== "Service") return object;
  const spec = objectAt(object, "spec");
  const headless = spec["clusterIP"] === "None" || spec["type"] === "ExternalName";
  return {
    ...object,
    spec: { type: "ClusterIP", ...(headless ? {} : { clusterIP: "10.96.0.10" }), ...spec },
  };
}

function met(type: string, reason: string): Value {
  return { type, status: "True", reason, message: "" };
}

/** The status of an object whose controllers have done all their work. */
function readyStatus(object: Props): Props {
  const replicas = objectAt(object, "spec")["replicas"] ?? 1;
  const observedGeneration = numberAt(object, "metadata", "generation");
  const counts = { replicas, readyReplicas: replicas, availableReplicas: replicas };
  const workload = { observedGeneration, ...counts, updatedReplicas: replicas };
  switch (`${textAt(object, "apiVersion")}/${textAt(object, "kind")}`) {
    case "apps/v1/Deployment":
      return {
        ...workload,
        conditions: [
          met("Available", "MinimumReplicasAvailable"),
          met("Progressing", "NewReplicaSetAvailable"),
        ],
      };
    case "apps/v1/StatefulSet":
      return { ...workload, currentRevision: "1", updateRevision: "1" };
    case "batch/v1/Job":
      return { succeeded: 1, conditions: [met("Complete", "CompletionsReached")] };
    case "v1/Pod":
      return { phase: "Running", conditions: [met("Ready", "")] };
    case "v1/PersistentVolumeClaim":
    case "v1/PersistentVolume":
      return { phase: "Bound" };
    case "v1/Namespace":
      return { phase: "Active" };
    case "v1/ResourceQuota":
      return { hard: objectAt(object, "spec", "hard") };
    default:
      return objectAt(object, "status");
  }
}
