import { listAt, numberAt, objectAt, textAt, type Props } from "../values.ts";
import { condition, refOf, type Cluster } from "./cluster.ts";

/** Where an object stands: ready, failed for good, or waiting for something. */
export interface Readiness {
  ready: boolean;
  /** For the console while waiting. */
  waitingFor?: string;
  /** What is in the way: the reasons in the error when time runs out. */
  reasons: string[];
  /** No use in waiting on. */
  failed?: boolean;
}

type Check = (object: Props, cluster: Cluster, waitedMs: number) => Readiness | Promise<Readiness>;

/** How long a Service without any pod may still get some; the official plugin's time. */
const SETTLE_MS = 10_000;

const READY: Readiness = { ready: true, reasons: [] };

/** `namespace/name`, as the official plugin prints it: without the namespace `default`. */
function qualifiedName(object: Props): string {
  const { namespace, name } = refOf(object);
  return namespace === "" || namespace === "default" ? name : `${namespace}/${name}`;
}

/** `[Reason] message` of a condition that is not True; nothing without both. */
function conditionReason(object: Props, type: string): string[] {
  const found = condition(object, type);
  const [reason, message] = [textAt(found, "reason"), textAt(found, "message")];
  if (Object.keys(found).length === 0 || found["status"] === "True") return [];
  return reason && message ? [`[${reason}] ${message}`] : [];
}

function isTrue(object: Props, type: string): boolean {
  return condition(object, type)["status"] === "True";
}

/** What keeps a container from being ready: ImagePullBackOff, CrashLoopBackOff, its last end. */
function containerReasons(container: Props): string[] {
  if (container["ready"] === true) return [];
  const waiting = objectAt(container, "state", "waiting");
  const terminated = objectAt(container, "state", "terminated");
  const last = objectAt(container, "lastState", "terminated");
  const name = textAt(container, "name");
  const reasons: string[] = [];
  const waits = textAt(waiting, "reason");
  if (waits && waits !== "ContainerCreating" && waits !== "PodInitializing") {
    reasons.push(`[${waits}] ${textAt(waiting, "message")}`);
  }
  if (textAt(terminated, "reason")) {
    const code = numberAt(terminated, "exitCode");
    const message = textAt(terminated, "message");
    reasons.push(
      message
        ? `[${textAt(terminated, "reason")}] ${message}`
        : `container "${name}" completed with exit code ${code}`,
    );
  }
  if (textAt(last, "reason")) {
    const how = `${textAt(last, "reason")}: exit code ${numberAt(last, "exitCode")}`;
    reasons.push(`container "${name}" terminated at ${textAt(last, "finishedAt")} (${how})`);
    if (textAt(last, "message")) reasons.push(textAt(last, "message"));
  }
  return reasons;
}

/** What is wrong with a pod, in one line, or nothing. */
export function podReasons(pod: Props): string[] {
  if (isTrue(pod, "Ready") || textAt(pod, "status", "phase") === "Succeeded") return [];
  const containers = [
    ...listAt(pod, "status", "initContainerStatuses"),
    ...listAt(pod, "status", "containerStatuses"),
  ].flatMap(containerReasons);
  const unscheduled = condition(pod, "PodScheduled");
  const blocking = unscheduled["status"] === "False" ? unscheduled : condition(pod, "Ready");
  const message = textAt(blocking, "message");
  if (message === "" && containers.length === 0) return [];
  return [`[Pod ${qualifiedName(pod)}]: ${message}${containers.join("\n")}`];
}

/** Pods that a controller's selector picks. */
async function podsOf(object: Props, cluster: Cluster): Promise<Props[]> {
  const labels = objectAt(object, "spec", "selector", "matchLabels");
  const { namespace } = refOf(object);
  const pods = await cluster.list({ apiVersion: "v1", kind: "Pod", namespace });
  return pods.filter((pod) => {
    const own = objectAt(pod, "metadata", "labels");
    return Object.entries(labels).every(([key, value]) => own[key] === value);
  });
}

function observed(object: Props): boolean {
  return (
    numberAt(object, "status", "observedGeneration") >= numberAt(object, "metadata", "generation")
  );
}

function desired(object: Props): number {
  const replicas = objectAt(object, "spec")["replicas"];
  return typeof replicas === "number" ? replicas : 1;
}

async function deployment(object: Props, cluster: Cluster): Promise<Readiness> {
  const want = desired(object);
  const updated = numberAt(object, "status", "updatedReplicas");
  const available = numberAt(object, "status", "availableReplicas");
  const progress = condition(object, "Progressing");
  const rolledOut =
    progress["reason"] === "NewReplicaSetAvailable" && progress["status"] === "True";
  const live = isTrue(object, "Available");
  if (observed(object) && live && rolledOut && updated >= want && available >= want) return READY;
  const missing = !live
    ? "Minimum number of live Pods was not attained"
    : "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live";
  return {
    ready: false,
    waitingFor: `Waiting for app ReplicaSet to be available (${available}/${want} Pods available)`,
    reasons: [
      ...conditionReason(object, "Progressing"),
      ...conditionReason(object, "Available"),
      missing,
      ...(await podsOf(object, cluster)).flatMap(podReasons),
    ],
  };
}

async function statefulSet(object: Props, cluster: Cluster): Promise<Readiness> {
  const want = desired(object);
  const readyNow = numberAt(object, "status", "readyReplicas");
  const status = objectAt(object, "status");
  const current = status["currentRevision"] === status["updateRevision"];
  if (observed(object) && current && readyNow >= want) return READY;
  return {
    ready: false,
    waitingFor: `Waiting for StatefulSet to create Pods (${readyNow}/${want} Pods ready)`,
    reasons: [
      `${readyNow} out of ${want} replicas succeeded readiness checks`,
      ...(await podsOf(object, cluster)).flatMap(podReasons),
    ],
  };
}

async function daemonSet(object: Props, cluster: Cluster): Promise<Readiness> {
  const want = numberAt(object, "status", "desiredNumberScheduled");
  const updated = numberAt(object, "status", "updatedNumberScheduled");
  const available = numberAt(object, "status", "numberAvailable");
  if (observed(object) && updated >= want && available >= want) return READY;
  return {
    ready: false,
    waitingFor: `Waiting for DaemonSet Pods to be available (${available}/${want})`,
    reasons: (await podsOf(object, cluster)).flatMap(podReasons),
  };
}

async function job(object: Props, cluster: Cluster): Promise<Readiness> {
  if (isTrue(object, "Complete")) return READY;
  const failed = condition(object, "Failed");
  const reasons =
    failed["status"] === "True"
      ? [`[${textAt(failed, "reason")}] ${textAt(failed, "message")}`]
      : [];
  const [active, done] = [
    numberAt(object, "status", "active"),
    numberAt(object, "status", "succeeded"),
  ];
  const progress = `Active: ${active} | Succeeded: ${done} | Failed: ${numberAt(object, "status", "failed")}`;
  return {
    ready: false,
    failed: failed["status"] === "True",
    waitingFor: `Waiting for Job "${qualifiedName(object)}" to succeed (${progress})`,
    reasons: [...reasons, ...(await podsOf(object, cluster)).flatMap(podReasons)],
  };
}

/**
 * A Service is ready when its pods are. One that picks no pods at all is taken as it is after a
 * while: its pods may be made by a later resource.
 */
async function service(object: Props, cluster: Cluster, waitedMs: number): Promise<Readiness> {
  const spec = objectAt(object, "spec");
  const { namespace, name } = refOf(object);
  const needsPods =
    spec["type"] !== "ExternalName" &&
    spec["clusterIP"] !== "None" &&
    Object.keys(objectAt(spec, "selector")).length > 0;
  const balanced =
    spec["type"] !== "LoadBalancer" ||
    listAt(object, "status", "loadBalancer", "ingress").length > 0;
  const endpoints = needsPods
    ? await cluster.get({ apiVersion: "v1", kind: "Endpoints", namespace, name })
    : undefined;
  const subsets = listAt(endpoints, "subsets");
  const ready = subsets.some((subset) => listAt(subset, "addresses").length > 0);
  const pending = subsets.some((subset) => listAt(subset, "notReadyAddresses").length > 0);
  const settled = ready || waitedMs >= SETTLE_MS;
  if (balanced && (!needsPods || (settled && !pending))) return READY;
  return {
    ready: false,
    waitingFor: "[1/3] Finding Pods to direct traffic to",
    reasons: [
      ...(ready || !needsPods ? [] : [NO_PODS]),
      ...(balanced
        ? []
        : ["Service was not allocated an IP address; does your cloud provider support this?"]),
    ],
  };
}

const NO_PODS =
  "Service does not target any Pods. Selected Pods may not be ready, or " +
  "field '.spec.selector' may not match labels on any Pods";

async function claim(object: Props, cluster: Cluster): Promise<Readiness> {
  const phase = textAt(object, "status", "phase");
  if (phase === "Bound") return READY;
  const storageClass = await cluster.get({
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    namespace: "",
    name: textAt(object, "spec", "storageClassName"),
  });
  // Such a claim is bound when the first pod wants it, which is after this resource.
  const waits = textAt(storageClass, "volumeBindingMode") === "WaitForFirstConsumer";
  if (waits && phase === "Pending") return READY;
  const reason = `PersistentVolumeClaim is not bound: status.phase is ${phase || "unknown"}`;
  return { ready: false, waitingFor: reason, reasons: [reason] };
}

function pod(object: Props): Readiness {
  const succeeded = textAt(object, "status", "phase") === "Succeeded";
  if (succeeded || isTrue(object, "Ready")) return READY;
  return {
    ready: false,
    waitingFor: `Waiting for Pod "${qualifiedName(object)}" to be ready`,
    reasons: podReasons(object),
  };
}

function quota(object: Props): Readiness {
  const accepted = Object.keys(objectAt(object, "status", "hard")).length > 0;
  return accepted ? READY : { ready: false, reasons: ["status.hard is not set yet"] };
}

function volume(object: Props): Readiness {
  const phase = textAt(object, "status", "phase");
  if (phase === "Available" || phase === "Bound") return READY;
  return { ready: false, reasons: [`PersistentVolume is ${phase || "not registered"}`] };
}

/**
 * Its controller has written where it is reached. That its Services have endpoints is a remark of the
 * official plugin's and no condition (pulumi-kubernetes, provider/pkg/await/ingress.go).
 */
function ingress(object: Props): Readiness {
  if (listAt(object, "status", "loadBalancer", "ingress").length > 0) return READY;
  return {
    ready: false,
    waitingFor: "[2/3] Waiting for update of .status.loadBalancer with hostname/IP",
    reasons: ["Ingress .status.loadBalancer field was not updated with a hostname/IP address."],
  };
}

const CHECKS: Readonly<Record<string, Check>> = {
  "apps/v1/Deployment": deployment,
  "apps/v1/StatefulSet": statefulSet,
  "apps/v1/DaemonSet": daemonSet,
  "batch/v1/Job": job,
  "networking.k8s.io/v1/Ingress": ingress,
  "v1/Service": service,
  "v1/PersistentVolumeClaim": claim,
  "v1/PersistentVolume": volume,
  "v1/ResourceQuota": quota,
  "v1/Pod": pod,
};

/** Whether an object is ready; kinds without a notion of readiness are at once. */
export async function readiness(
  object: Props,
  cluster: Cluster,
  waitedMs: number,
): Promise<Readiness> {
  const check = CHECKS[`${textAt(object, "apiVersion")}/${textAt(object, "kind")}`];
  return check === undefined ? READY : check(object, cluster, waitedMs);
}
