import { roleOf } from "../../infra/scaffold/postrender/known.ts";
import {
  deploymentSpec,
  title,
  type DeploymentSpec,
  type Manifest,
} from "../../infra/scaffold/postrender/manifest.ts";
import { objectRule, podSpec } from "../objects.ts";
import { find, list, type Plain } from "../plain.ts";

/** The servers that clients or other servers call, of which one must serve while another goes. */
function servers(objects: readonly Manifest[]): Manifest[] {
  return objects.filter((object) => roleOf(object) === "server");
}

const at = (object: Manifest, ...path: string[]) => find(object as unknown as Plain, ...path);

export const serversReplicated = objectRule<{ minimum: number }>({
  name: "servers-replicated",
  description:
    "Run every server at least twice (anchorhold:replicas), so that one serves while the other's node is drained or lost.",
  config: { minimum: { type: "integer", minimum: 1, default: 2 } },
  check: (objects, { minimum }) =>
    servers(objects).flatMap((server) => {
      const replicas = at(server, "spec", "replicas");
      if (typeof replicas === "number" && replicas >= minimum) return [];
      return [`${title(server)} has fewer than ${minimum} replicas`];
    }),
});

/** Whether a budget is for these pods and leaves a node able to be drained. */
function isBudget(budget: Manifest, server: Manifest): boolean {
  if (budget.kind !== "PodDisruptionBudget") return false;
  if (budget.metadata.namespace !== server.metadata.namespace) return false;
  const wanted = Object.entries(at(budget, "spec", "selector", "matchLabels") ?? {});
  const labels = (deploymentSpec(server) as DeploymentSpec).template.metadata?.labels ?? {};
  const isFor = wanted.length > 0 && wanted.every(([label, value]) => labels[label] === value);
  return isFor && at(budget, "spec", "maxUnavailable") !== 0;
}

export const budgetsSet = objectRule<object>({
  name: "disruption-budgets",
  description:
    "Give every server a PodDisruptionBudget (infra/scaffold/postrender/budgets.ts), so that drained nodes take one pod of it at a time.",
  together: true,
  check: (objects) =>
    servers(objects)
      .filter((server) => !objects.some((object) => isBudget(object, server)))
      .map((server) => `${title(server)} has no disruption budget`),
});

export const serversSpread = objectRule<object>({
  name: "servers-spread",
  description:
    "Spread the pods of every server over nodes (infra/scaffold/postrender/rolling.ts), so that a lost node takes one of them.",
  check: (objects) =>
    servers(objects).flatMap((server) => {
      const pod = podSpec(server) ?? {};
      const isSpread =
        list(pod, "topologySpreadConstraints").length > 0 ||
        find(pod, "affinity", "podAntiAffinity") !== undefined;
      return isSpread ? [] : [`${title(server)} is not spread over nodes`];
    }),
});
