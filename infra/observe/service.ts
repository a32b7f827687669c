import { CoreV1Api, type KubeConfig, type V1Pod, type V1Service } from "@kubernetes/client-node";
import { CannotRun, oneLine } from "./errors.ts";
import { forward, type Forward, type PodPort } from "./forward.ts";

/** A Service's port, from "NAMESPACE/SERVICE:PORT". */
export interface ServicePort {
  namespace: string;
  service: string;
  port: number;
}

/** Reads "NAMESPACE/SERVICE:PORT". @throws {CannotRun} with the form that is expected. */
export function parseServicePort(text: string): ServicePort {
  const match = /^([a-z0-9-]+)\/([a-z0-9-]+):(\d{1,5})$/.exec(text);
  const [, namespace, service, port] = match ?? [];
  if (namespace === undefined || service === undefined || Number(port) > 65_535) {
    throw new CannotRun(
      `--port-forward "${text}" is not of the form NAMESPACE/SERVICE:PORT, ` +
        "for example trillian-system/trillian-logserver:8091.",
    );
  }
  return { namespace, service, port: Number(port) };
}

/** A pod behind a Service, with the container's port that the Service's port leads to. */
export interface Replica extends PodPort {
  /** Ready and not being deleted: new connections come here. */
  serving: boolean;
  spec: V1Pod;
}

/**
 * Every pod behind a Service's port, those that start or end included.
 * @throws CannotRun when the Service has no such port
 */
export function replicasOf(service: V1Service, pods: readonly V1Pod[], port: number): Replica[] {
  const entry = service.spec?.ports?.find((candidate) => candidate.port === port);
  if (entry === undefined) {
    const known = service.spec?.ports?.map((candidate) => candidate.port).join(", ") ?? "none";
    throw new CannotRun(
      `Service ${service.metadata?.name ?? ""} has no port ${port} (it has: ${known}).`,
    );
  }
  return pods.flatMap((pod): Replica[] => {
    const target = containerPort(pod, entry.targetPort ?? port);
    const { name, namespace = "" } = pod.metadata ?? {};
    if (name === undefined || target === undefined || isOver(pod)) return [];
    return [{ namespace, pod: name, port: target, serving: isServing(pod), spec: pod }];
  });
}

/** Ready and not being deleted. */
export function isServing(pod: V1Pod): boolean {
  const ready = pod.status?.conditions?.some(
    (condition) => condition.type === "Ready" && condition.status === "True",
  );
  return ready === true && pod.metadata?.deletionTimestamp === undefined;
}

/** A pod that has ended, or was evicted, serves nothing and never will. */
function isOver(pod: V1Pod): boolean {
  return pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
}

/** `targetPort` may be a number, a number as text (the client's IntOrString), or a port's name. */
function containerPort(pod: V1Pod, target: number | string): number | undefined {
  if (/^\d+$/.test(String(target))) return Number(target);
  return pod.spec?.containers
    .flatMap((container) => container.ports ?? [])
    .find((candidate) => candidate.name === target)?.containerPort;
}

/** Every pod behind a Service at this moment; none when the Service is not there. */
export async function findReplicas(config: KubeConfig, target: ServicePort): Promise<Replica[]> {
  const { namespace, service: name, port } = target;
  const core = config.makeApiClient(CoreV1Api);
  const service = await core.readNamespacedService({ namespace, name });
  const labelSelector = Object.entries(service.spec?.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  // Without a selector every pod of the namespace would match.
  if (labelSelector === "") return [];
  const pods = await core.listNamespacedPod({ namespace, labelSelector });
  return replicasOf(service, pods.items, port);
}

/**
 * A local port that leads to a pod that is serving, so that a client that reconnects after a roll
 * reaches the new pod.
 * @throws CannotRun at once for what no waiting can mend: no such Service or port, no cluster
 */
export async function forwardToService(config: KubeConfig, target: ServicePort): Promise<Forward> {
  await checkService(config, target);
  return forward(config, async () => {
    const replicas = await findReplicas(config, target);
    return replicas.find(({ serving }) => serving);
  });
}

async function checkService(config: KubeConfig, target: ServicePort): Promise<void> {
  try {
    await findReplicas(config, target);
  } catch (error) {
    if (error instanceof CannotRun) throw error;
    const what = (error as { code?: unknown }).code === 404 ? "does not exist" : oneLine(error);
    throw new CannotRun(
      `Service ${target.namespace}/${target.service} in cluster "${config.getCurrentContext()}": ` +
        `${what}. Check KUBECONFIG and that the Service is deployed.`,
      { cause: error },
    );
  }
}
