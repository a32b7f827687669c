import type { NetworkSurroundings } from "../config/networkPolicies.ts";
import type { Edge, End, NetworkConfig, PodGroup, Surrounding } from "./networkEdges.ts";
import { edges, podGroups } from "./networkEdges.ts";

/** The parts of networking.k8s.io/v1 NetworkPolicy that are used. */
export interface Policy {
  name: string;
  namespace: string;
  spec: {
    podSelector: { matchLabels?: Record<string, string> };
    policyTypes: ("Ingress" | "Egress")[];
    ingress?: { from?: Peer[]; ports: Port[] }[];
    egress?: { to?: Peer[]; ports: Port[] }[];
  };
}

export interface Peer {
  namespaceSelector?: { matchLabels: Record<string, string> };
  podSelector?: { matchLabels: Record<string, string> };
  ipBlock?: { cidr: string };
}

interface Port {
  protocol: "TCP" | "UDP";
  port: number;
}

/** In every namespace: a pod that no other policy names may neither be called nor call. */
export const denyName = "default-deny";

const isGroup = (end: End): end is PodGroup => "namespace" in end;
const inNamespace = (name: string) => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
});
const ranges = (cidrs: readonly string[]) => cidrs.map((cidr): Peer => ({ ipBlock: { cidr } }));

function surroundingPeers(what: Surrounding, at: NetworkSurroundings): Peer[] | undefined {
  if (what === "dns") return [...at.dns.namespaces.map(inNamespace), ...ranges(at.dns.cidrs)];
  if (what !== "clients" && what !== "metrics") return ranges(at[what].cidrs);
  const froms = what === "clients" ? at.clientsFrom : at.metricsFrom;
  return froms?.map((from) =>
    typeof from === "string"
      ? { ipBlock: { cidr: from } }
      : { namespaceSelector: { matchLabels: from.namespaceLabels } },
  );
}

/** @returns nothing for everybody, which a policy says by leaving the peers out */
function peersOf(end: End, at: NetworkSurroundings): Peer[] | undefined {
  if ("surrounding" in end) return surroundingPeers(end.surrounding, at);
  if ("cidr" in end) return ranges([end.cidr]);
  const selected = Object.keys(end.labels).length > 0;
  return [
    {
      ...inNamespace(end.namespace),
      ...(selected ? { podSelector: { matchLabels: end.labels } } : {}),
    },
  ];
}

const portsOf = ({ ports, protocols }: Edge): Port[] =>
  protocols.flatMap((protocol) => ports.map((port) => ({ protocol, port })));

function allow(group: PodGroup, all: readonly Edge[], at: NetworkSurroundings): Policy {
  const is = (end: End) => isGroup(end) && end.name === group.name;
  const ingress = all
    .filter(({ to }) => is(to))
    .map((edge) => {
      const from = peersOf(edge.from, at);
      return { ...(from === undefined ? {} : { from }), ports: portsOf(edge) };
    });
  const egress = all
    .filter(({ from }) => is(from))
    .map((edge) => {
      const to = peersOf(edge.to, at);
      return { ...(to === undefined ? {} : { to }), ports: portsOf(edge) };
    });
  return {
    name: `allow-${group.name.replaceAll(" ", "-")}`,
    namespace: group.namespace,
    spec: {
      podSelector: Object.keys(group.labels).length > 0 ? { matchLabels: group.labels } : {},
      policyTypes: ["Ingress", "Egress"],
      ...(ingress.length > 0 ? { ingress } : {}),
      ...(egress.length > 0 ? { egress } : {}),
    },
  };
}

/** What each kind of pod may do, made of the table of edges and nothing else. */
export function networkPolicies(config: NetworkConfig): Policy[] {
  const all = edges(config);
  const groups = podGroups(config);
  const allowing = groups.map((group) => allow(group, all, config.networkPolicies));
  const denying = [...new Set(groups.map(({ namespace }) => namespace))].map(
    (namespace): Policy => ({
      name: denyName,
      namespace,
      spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    }),
  );
  return [...allowing, ...denying];
}
