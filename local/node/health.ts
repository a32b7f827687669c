import { Resolver } from "node:dns/promises";
import { call, apiServerUrl, getObject, healthProblem } from "./api.ts";
import { containerdProblem } from "./containerd.ts";
import { containedProcesses } from "./cgroups.ts";
import type { ComponentName } from "./components.ts";
import { addresses, nodeName } from "./layout.ts";
import { ports } from "./ports.ts";

const loopback = (scheme: string, port: number, path: string): string =>
  `${scheme}://127.0.0.1:${port}${path}`;

/** What is wrong with a component, undefined if it says that it is healthy. */
export const componentProblem: Record<ComponentName, () => Promise<string | undefined>> = {
  etcd: () =>
    healthProblem(loopback("https", ports["etcd (clients)"], "/health"), {
      certificate: "kube-apiserver-etcd",
      ca: "etcd-ca",
    }),
  containerd: containerdProblem,
  "kube-apiserver": () =>
    healthProblem(`${apiServerUrl}/readyz`, { certificate: "admin", ca: "ca" }),
  "kube-controller-manager": () =>
    healthProblem(loopback("https", ports["kube-controller-manager"], "/healthz")),
  "kube-scheduler": () => healthProblem(loopback("https", ports["kube-scheduler"], "/healthz")),
  "kube-proxy": () => healthProblem(loopback("http", ports["kube-proxy (health)"], "/healthz")),
  kubelet: () => healthProblem(loopback("http", ports["kubelet (health)"], "/healthz")),
};

interface Condition {
  type: string;
  status: string;
  message?: string;
  lastHeartbeatTime?: string;
}

/** The parts of a pod that its readiness is read from. */
export interface PodStatus {
  metadata: { namespace: string; name: string };
  status: {
    phase?: string;
    conditions?: Condition[];
    containerStatuses?: { containerID?: string; state?: { running?: object } }[];
  };
}

/** What keeps the node from being Ready, by a heartbeat of `since` (ms) or later. */
export async function nodeProblem(since: number): Promise<string | undefined> {
  const path = `/api/v1/nodes/${nodeName}`;
  const { status, body } = await call(apiServerUrl + path, {
    as: { certificate: "admin", ca: "ca" },
  });
  if (status !== 200) return `the node is not registered (${status})`;
  const node = JSON.parse(body) as { status: { conditions?: Condition[] } };
  const ready = node.status.conditions?.find((condition) => condition.type === "Ready");
  if (!ready || Date.parse(ready.lastHeartbeatTime ?? "") < since) return "no heartbeat yet";
  return ready.status === "True" ? undefined : (ready.message ?? "the node is not Ready");
}

/**
 * Pods that claim to be Ready with a container that is not there. After a stop the API still holds
 * the last status of containers that are long gone; until kubelet has corrected it, that readiness
 * means nothing.
 * @param living ids of the containers that have processes
 */
export function staleReady(pods: readonly PodStatus[], living: ReadonlySet<string>): string[] {
  return pods
    .filter(isReady)
    .filter(({ status }) =>
      (status.containerStatuses ?? []).some(
        // `containerd://<id>`
        ({ containerID, state }) =>
          state?.running && !living.has(containerID?.split("/").at(-1) ?? ""),
      ),
    )
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

function isReady({ status }: PodStatus): boolean {
  return (status.conditions ?? []).some(
    ({ type, status }) => type === "Ready" && status === "True",
  );
}

/** A container's innermost cgroup has its id as its name. */
const livingContainers = (): Set<string> =>
  new Set(containedProcesses().map(({ cgroup }) => cgroup));

/**
 * Pods whose readiness is from before, or the cluster's DNS: what is still missing. The name is
 * asked for at the service's address, as a pod asks, so an answer also proves kube-proxy's rules.
 */
export async function podProblem(): Promise<string | undefined> {
  const { items } = await getObject<{ items: PodStatus[] }>("/api/v1/pods");
  const stale = staleReady(items, livingContainers());
  if (stale.length > 0) return `kubelet has not looked at ${stale.join(", ")} yet`;
  return dnsProblem();
}

async function dnsProblem(): Promise<string | undefined> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([addresses.dns]);
  try {
    const found = await resolver.resolve4("kubernetes.default.svc.cluster.local");
    return found.includes(addresses.apiService) ? undefined : `DNS answers ${found.join(", ")}`;
  } catch (error) {
    return `the cluster's DNS does not answer: ${(error as Error).message}`;
  }
}
