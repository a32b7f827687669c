import {
  CoreV1Api,
  NetworkingV1Api,
  type KubeConfig,
  type V1NetworkPolicy,
} from "@kubernetes/client-node";
import type { Edge, End, PodGroup } from "../../../infra/platform/networkEdges.ts";
import { ports } from "../../../local/node/ports.ts";
import { addresses } from "../../../local/node/layout.ts";

/** An edge with a place to try it: one port of it. */
export interface LiveEdge {
  /** `fulcio → ctlog:6962`. */
  name: string;
  from: PodGroup | "elsewhere";
  /** Ends well where the connection is allowed, within three seconds. */
  command: string;
  /** The policy that says it, and where in it. */
  policy: { namespace: string; name: string; direction: "ingress" | "egress"; port: number };
}

const isGroup = (end: End): end is PodGroup => "namespace" in end;
const policyName = ({ name }: PodGroup) => `allow-${name.replaceAll(" ", "-")}`;

async function addressOf(config: KubeConfig, { namespace, labels }: PodGroup): Promise<string> {
  const labelSelector = Object.entries({ ...labels })
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
  const { items } = await config
    .makeApiClient(CoreV1Api)
    .listNamespacedPod({ namespace, ...(labelSelector === "" ? {} : { labelSelector }) });
  const [ready] = items.filter(
    ({ status, metadata }) =>
      metadata?.labels?.["anchorhold.dev/test"] === undefined &&
      status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
  );
  if (ready?.status?.podIP === undefined) throw new Error(`no pod is ready in ${namespace}`);
  return ready.status.podIP;
}

const connect = (address: string, port: number) => `nc -z -w 2 ${address} ${port}`;

/** How the edge's far end is reached on the node of `npm start`. */
async function commandFor(config: KubeConfig, to: End, port: number): Promise<string | undefined> {
  if (isGroup(to)) return connect(await addressOf(config, to), port);
  if (!("surrounding" in to)) return undefined;
  if (to.surrounding === "dns")
    return "timeout 3 getent hosts kubernetes.default.svc.cluster.local";
  const isApi = to.surrounding === "apiServer" && port === ports["kube-apiserver"];
  return isApi ? connect(addresses.node, port) : undefined;
}

/** The edges that can be tried on that node, each by one of its ports. */
export async function liveEdges(config: KubeConfig, edges: readonly Edge[]): Promise<LiveEdge[]> {
  const all: LiveEdge[] = [];
  for (const { from, to, ports: open } of edges) {
    const ports_ =
      !isGroup(to) && "surrounding" in to && to.surrounding === "dns" ? [open[0]!] : open;
    for (const port of ports_) {
      const command = await commandFor(config, to, port);
      if (command === undefined) continue;
      if (isGroup(from)) {
        const { namespace } = from;
        const policy = { namespace, name: policyName(from), direction: "egress" as const, port };
        all.push({ name: `${from.name} → ${nameOf(to)}:${port}`, from, command, policy });
      } else if (isGroup(to)) {
        const { namespace } = to;
        const policy = { namespace, name: policyName(to), direction: "ingress" as const, port };
        all.push({ name: `anybody → ${to.name}:${port}`, from: "elsewhere", command, policy });
      }
    }
  }
  return all;
}

function nameOf(end: End): string {
  if (isGroup(end)) return end.name;
  return "surrounding" in end ? end.surrounding : end.cidr;
}

/** Takes the rules with this port out of the policy. @returns puts them back */
export async function withoutEdge(
  config: KubeConfig,
  { policy }: LiveEdge,
): Promise<() => Promise<void>> {
  const { namespace, name, direction, port } = policy;
  const api = config.makeApiClient(NetworkingV1Api);
  const whole = await api.readNamespacedNetworkPolicy({ namespace, name });
  const rules = whole.spec?.[direction] ?? [];
  const left = rules.filter((rule) => !rule.ports?.some((one) => one.port === port));
  if (left.length === rules.length) throw new Error(`${namespace}/${name} has no rule for ${port}`);
  const replace = async (changed: V1NetworkPolicy) => {
    const { metadata } = await api.readNamespacedNetworkPolicy({ namespace, name });
    const body = { ...changed, metadata: { ...changed.metadata } };
    if (metadata?.resourceVersion) body.metadata.resourceVersion = metadata.resourceVersion;
    await api.replaceNamespacedNetworkPolicy({ namespace, name, body });
  };
  await replace({ ...whole, spec: { ...whole.spec, [direction]: left } });
  return () => replace(whole);
}
