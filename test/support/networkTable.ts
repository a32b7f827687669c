import type { Edge, End } from "../../infra/platform/networkEdges.ts";
import { markdownTable } from "./markdownTable.ts";

const called: Record<string, string> = {
  clients: "anybody",
  dns: "the cluster's DNS",
  apiServer: "the cluster's API",
  issuers: "token issuers",
  proxy: "the proxy",
  ntp: "time servers",
  metrics: "Prometheus",
};

const nameOf = (end: End): string => {
  if ("surrounding" in end) return called[end.surrounding] ?? end.surrounding;
  return "cidr" in end ? end.cidr : end.name;
};

/** The edges as docs/network.md shows them. */
export function edgeTable(edges: readonly Edge[]): string {
  return markdownTable(
    ["from", "to", "ports", "why"],
    edges.map(({ from, to, ports, protocols, why }) => [
      nameOf(from),
      nameOf(to),
      `${ports.join(", ")} ${protocols.join(" and ")}`,
      why,
    ]),
  );
}
