import { status } from "@grpc/grpc-js";
import { containsUnknown, equal, objectAt, isObject, textAt, type Props } from "../values.ts";
import { detailedDiff } from "../diff.ts";
import { InitializationError } from "../initFailure.ts";
import { StatusError } from "../statusError.ts";
import { randomName } from "../names.ts";
import type {
  CheckRequest,
  CheckResult,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  DiffResult,
  ReadRequest,
  State,
  UpdateRequest,
} from "../plugin.ts";
import {
  ApiError,
  annotation,
  refOf,
  UnreachableError,
  type Cluster,
  type Ref,
  type WriteOptions,
} from "./cluster.ts";
import { immutablePlaces, isAutonamed } from "./immutable.ts";
import {
  annotateSecrets,
  asObject,
  assignName,
  normalize,
  omit,
  withNamespace,
  withoutNamespace,
} from "./inputs.ts";
import { liveChanges, liveInputs, prune } from "./liveDiff.ts";
import { readiness } from "./readiness.ts";
import { skipsWait, untilGone, untilReady, WaitError, type WaitOptions } from "./wait.ts";

const FIELD_MANAGER = "__fieldManager";
const INITIAL_VERSION = "__initialApiVersion";

const REPLACE_UNREADY = "pulumi.com/replaceUnready";
const REPLACE_UNREADY_PATH = `.metadata.annotations["${REPLACE_UNREADY}"]`;

/** Kinds that a refresh looks at for readiness, as the official plugin does. */
const READ_READINESS = /^(Deployment|StatefulSet|DaemonSet|Job|Pod|Service|Ingress)$/;

/** `namespace/name`, or the name alone. */
function idOf(object: Props): string {
  const { namespace, name } = refOf(object);
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** A state as the plugin writes it: the live object, the inputs, who owns the fields. */
function checkpoint(
  live: Props,
  inputs: Props,
  from: Props,
  meta: { fieldManager: string; initialVersion: string },
): Props {
  return {
    ...annotateSecrets(live, from),
    __inputs: annotateSecrets(inputs, from),
    [INITIAL_VERSION]: meta.initialVersion,
    [FIELD_MANAGER]: meta.fieldManager,
  };
}

/** The live object and the inputs of a state, with no secret marks. */
function parseState(state: Props): { live: Props; inputs: Props } {
  const all = asObject(state);
  const live = omit(all, ["__inputs", INITIAL_VERSION, FIELD_MANAGER]);
  return { live, inputs: objectAt(all, "__inputs") };
}

function metaOf(state: Props, inputs: Props): { fieldManager: string; initialVersion: string } {
  return {
    fieldManager:
      annotation(inputs, "pulumi.com/patchFieldManager") ||
      textAt(state, FIELD_MANAGER) ||
      randomName("pulumi-kubernetes-", 8),
    initialVersion: textAt(state, INITIAL_VERSION) || textAt(inputs, "apiVersion"),
  };
}

/** Settings that come with the provider's configuration. */
export interface ObjectSettings {
  cluster: Cluster;
  /** For objects that name none; empty to leave it to the cluster. */
  namespace: string;
  signal: () => AbortSignal;
  /** Whether to take over what is there already; if left out, to refuse creating it. */
  upsert?: boolean;
}

/** Plain Kubernetes objects of any kind. */
export class Objects {
  private readonly settings: ObjectSettings;

  constructor(settings: ObjectSettings) {
    this.settings = settings;
  }

  async check(request: CheckRequest): Promise<CheckResult> {
    const { name, randomSeed, news } = request;
    const named = assignName(normalize(asObject(news)), asObject(request.olds), name, randomSeed);
    const { namespace } = this.settings;
    const needsDefault = namespace !== "" && objectAt(named, "metadata")["namespace"] === undefined;
    const inputs =
      needsDefault && (await this.isNamespaced(named)) ? withNamespace(named, namespace) : named;
    return { inputs: annotateSecrets(inputs, news) };
  }

  async diff(request: DiffRequest): Promise<DiffResult> {
    const state = parseState(request.olds);
    const oldInputs = normalize(state.inputs);
    const given = normalize(asObject(request.news));
    const namespaced = await this.isNamespaced(given);
    const place = (object: Props): Props =>
      namespaced
        ? withNamespace(object, textAt(object, "metadata", "namespace") || "default")
        : withoutNamespace(object);
    const live = place(prune(state.live, oldInputs) as Props);
    const news = place(given);
    const all = liveChanges(live, place(oldInputs), news);
    const detailed = detailedDiff(all, immutablePlaces(news), request.ignoreChanges);
    const replaces = Object.entries(detailed)
      .filter(([, { kind }]) => kind.endsWith("_REPLACE"))
      .map(([path]) => path);
    if (await this.isUnready(given, state.live)) replaces.push(REPLACE_UNREADY_PATH);
    return {
      changes: Object.keys(detailed).length > 0 || replaces.length > 0,
      replaces,
      deleteBeforeReplace: replaces.length > 0 && keepsName(news, state.live),
      detailed,
      hasDetailed: true,
    };
  }

  async create(request: CreateRequest): Promise<State> {
    const inputs = asObject(request.inputs);
    const asIs = { id: "", outputs: request.inputs };
    if (request.preview && containsUnknown(inputs)) return asIs;
    const meta = metaOf({}, inputs);
    const options = { fieldManager: meta.fieldManager, dryRun: request.preview };
    const created = await this.withRetries(request, () => this.write(inputs, options)).catch(
      (error: unknown) => {
        if (request.preview && cannotPreview(error)) return undefined;
        throw createError(request.urn, error);
      },
    );
    if (created === undefined) return asIs;
    const outputs = (object: Props): Props => checkpoint(object, inputs, request.inputs, meta);
    if (request.preview) return { id: "", outputs: outputs(omit(created, ["status"])) };
    const id = idOf(created);
    const live = await untilReady(created, inputs, this.waiting(request)).catch(
      async (error: unknown) => {
        throw await this.initFailed(error, id, created, outputs, (cause) =>
          [
            `resource "${request.urn}" was successfully created, but the Kubernetes API server `,
            `reported that it failed to fully initialize or become live: ${cause}`,
          ].join(""),
        );
      },
    );
    return { id, outputs: outputs(live) };
  }

  async update(request: UpdateRequest): Promise<Props> {
    const inputs = normalize(asObject(request.inputs));
    if (request.preview && containsUnknown(inputs)) return request.inputs;
    const meta = metaOf(request.olds, inputs);
    const { cluster } = this.settings;
    const desired = await this.withIgnored(inputs, request);
    const written = await cluster
      .apply(desired, {
        fieldManager: meta.fieldManager,
        dryRun: request.preview,
        force: takesFields(desired),
      })
      .catch((error: unknown) => {
        if (request.preview && cannotPreview(error)) return undefined;
        throw new Error(`update of resource "${request.urn}" failed: ${text(error)}`);
      });
    if (written === undefined) return request.inputs;
    const outputs = (object: Props): Props => checkpoint(object, inputs, request.inputs, meta);
    if (request.preview) return outputs(written);
    const live = await untilReady(written, inputs, this.waiting(request)).catch(
      async (error: unknown) => {
        // A cancelled update is no update: the engine keeps the old state and asks again.
        if (error instanceof WaitError && error.cancelled) throw cancelledUpdate(request, error);
        throw await this.initFailed(error, idOf(written), written, outputs, (cause) =>
          [
            `the Kubernetes API server reported that "${idOf(written)}" failed to fully `,
            `initialize or become live: ${cause}`,
          ].join(""),
        );
      },
    );
    return outputs(live);
  }

  async read(request: ReadRequest): Promise<State> {
    const inputs = normalize(asObject(request.inputs));
    const { cluster } = this.settings;
    const state = parseState(request.olds);
    const known = Object.keys(inputs).length > 0 ? inputs : state.live;
    const live = await cluster.get(readRef(request, known));
    if (live === undefined) return { id: "", outputs: {} };
    const found = liveInputs(live, inputs) as Props;
    const meta = metaOf(request.olds, inputs);
    const outputs = checkpoint(live, found, request.inputs, meta);
    if (READ_READINESS.test(textAt(live, "kind")) && !skipsWait(inputs)) {
      const { ready, reasons } = await readiness(live, cluster, Infinity);
      const name = textAt(live, "metadata", "name");
      const message = `Resource '${name}' was created but failed to initialize`;
      if (!ready) throw new InitializationError(request.id, outputs, message, reasons);
    }
    return { id: request.id, outputs, inputs: annotateSecrets(found, request.inputs) };
  }

  async delete(request: DeleteRequest): Promise<void> {
    const { live, inputs } = parseState(request.olds);
    const ref = refOf(live);
    const wanted = annotation(inputs, "pulumi.com/deletionPropagationPolicy").toLowerCase();
    const propagation =
      wanted === "orphan" ? "Orphan" : wanted === "background" ? "Background" : "Foreground";
    await this.settings.cluster.delete(ref, propagation);
    if (!skipsWait(inputs)) await untilGone(ref, inputs, this.waiting(request));
  }

  /** Whether the object is a Job that asks to be replaced when it is not complete. */
  private async isUnready(wanted: Props, live: Props): Promise<boolean> {
    const asks = annotation(wanted, REPLACE_UNREADY) === "true";
    if (!asks || textAt(wanted, "kind") !== "Job") return false;
    const { cluster } = this.settings;
    // Like the official plugin: who cannot be asked, or is gone, is no reason.
    const job = await cluster.get(refOf(live)).catch(() => undefined);
    return job !== undefined && !(await readiness(job, cluster, Infinity)).ready;
  }

  private async write(inputs: Props, options: WriteOptions): Promise<Props> {
    const { cluster, upsert } = this.settings;
    const there = upsert === true && (await cluster.get(refOf(inputs))) !== undefined;
    const force = takesFields(inputs) ? { force: true } : {};
    return there
      ? cluster.apply(inputs, { ...options, ...force })
      : cluster.create(inputs, options);
  }

  private waiting(request: { timeout: number; log: (text: string) => void }): WaitOptions {
    const { cluster, signal } = this.settings;
    return { cluster, timeout: request.timeout, signal: signal(), log: request.log };
  }

  private async isNamespaced(object: Props): Promise<boolean> {
    const { apiVersion, kind } = refOf(object);
    const scope = await this.settings.cluster.scope(apiVersion, kind).catch((error: unknown) => {
      if (error instanceof UnreachableError) return undefined;
      throw error;
    });
    // An unknown kind may be defined by a later resource; most are namespaced.
    return scope !== "cluster" && !CLUSTER_KINDS.has(kind);
  }

  /** A namespace or a definition may only just be on its way. */
  private async withRetries<T>(request: CreateRequest, attempt: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await attempt();
      } catch (error) {
        const missing = error instanceof ApiError && error.code === 404;
        if (!missing || request.preview || tries > 5) throw error;
        request.log(`Retry #${tries}; creation failed: ${error.message}`);
        await this.settings.cluster.pause(this.settings.signal());
      }
    }
  }

  /** Ignored places keep the value that the cluster has. */
  private async withIgnored(inputs: Props, request: UpdateRequest): Promise<Props> {
    if (request.ignoreChanges.length === 0) return inputs;
    const live = await this.settings.cluster.get(refOf(parseState(request.olds).live));
    return live === undefined ? inputs : keepIgnored(inputs, live, request.ignoreChanges);
  }

  private async initFailed(
    error: unknown,
    id: string,
    written: Props,
    outputs: (object: Props) => Props,
    message: (cause: string) => string,
  ): Promise<unknown> {
    if (!(error instanceof WaitError)) return error;
    const live = (await this.settings.cluster.get(refOf(written))) ?? written;
    return new InitializationError(id, outputs(live), message(error.message), error.reasons);
  }
}

function cancelledUpdate({ urn }: UpdateRequest, error: WaitError): StatusError {
  const message = `update of resource "${urn}" failed: ${error.message}`;
  return new StatusError(status.CANCELLED, message);
}

/** Kinds without a namespace that previews meet before there is a cluster to ask. */
const CLUSTER_KINDS: ReadonlySet<string> = new Set([
  ...["Namespace", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "StorageClass"],
  ...["CustomResourceDefinition", "PriorityClass", "IngressClass"],
]);

/** Whether the new object must have the name of the old one, which has to go first. */
function keepsName(news: Props, live: Props): boolean {
  const [wanted, found] = [refOf(news), refOf(live)];
  return (
    wanted.name !== "" &&
    !isAutonamed(news) &&
    wanted.name === found.name &&
    equal(wanted.namespace, found.namespace)
  );
}

function readRef(request: ReadRequest, known: Props): Ref {
  const [first = "", second] = request.id.split("/");
  const { apiVersion, kind } = refOf(known);
  return {
    apiVersion: apiVersion || versionOf(request.type),
    kind: kind || (request.type.split(":").at(-1) ?? ""),
    namespace: second === undefined ? textAt(known, "metadata", "namespace") : first,
    name: second ?? first,
  };
}

/** The API version in a type token such as `kubernetes:apps/v1:Deployment`. */
function versionOf(type: string): string {
  return (type.split(":")[1] ?? "").replace(/^core\//, "");
}

function keepIgnored(inputs: Props, live: Props, ignored: readonly string[]): Props {
  return ignored.reduce<Props>((object, path) => setFrom(object, live, path.split(".")), inputs);
}

function setFrom(object: Props, live: Props, [key = "", ...rest]: string[]): Props {
  const from = live[key];
  if (from === undefined) return object;
  if (rest.length === 0) return { ...object, [key]: from };
  return isObject(from) ? { ...object, [key]: setFrom(objectAt(object, key), from, rest) } : object;
}

/** Errors for which a preview shows the inputs instead: what is needed does not exist yet. */
function cannotPreview(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  return error instanceof ApiError && [403, 404, 409].includes(error.code);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function createError(urn: string, error: unknown): Error {
  if (error instanceof ApiError && error.reason === "AlreadyExists") {
    return new Error(
      `resource "${urn}" was not successfully created by the Kubernetes API server: ` +
        `${error.message}\n\nThe resource already exists in the cluster. Delete it, import it ` +
        "with `pulumi import`, or give this one another name.",
    );
  }
  return new Error(
    `resource "${urn}" was not successfully created by the Kubernetes API server: ${text(error)}`,
  );
}

/** Whether the object asks to take fields over that others have set since. */
function takesFields(inputs: Props): boolean {
  return annotation(inputs, "pulumi.com/patchForce") === "true";
}
