import { roleOf } from "./known.ts";
import { deploymentSpec, type DeploymentSpec, type Manifest, type Selector } from "./manifest.ts";

const apiVersion = "policy/v1";
const kind = "PodDisruptionBudget";

function budgetOf({ metadata }: Manifest, { selector }: DeploymentSpec): Manifest {
  const { name, namespace, labels } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
    },
    spec: {
      maxUnavailable: 1,
      // A pod that never gets ready must not keep a node from being drained.
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector,
    },
  };
}

function isBudgetFor(deployment: Manifest, { template }: DeploymentSpec) {
  const labels = template.metadata?.labels ?? {};
  return (other: Manifest): boolean => {
    if (other.apiVersion !== apiVersion || other.kind !== kind) return false;
    if (other.metadata.namespace !== deployment.metadata.namespace) return false;
    const { selector } = other.spec as { selector?: Selector };
    return Object.entries(selector?.matchLabels ?? {}).every(
      ([label, value]) => labels[label] === value,
    );
  };
}

/**
 * A drained node takes one pod of a server at a time. Kubernetes evicts no pod that has two budgets,
 * so one that the chart brings is enough. What has a single pod gets none: a budget would either
 * block every drain for ever or promise nothing.
 */
export function withBudgets(manifests: readonly Manifest[]): Manifest[] {
  return manifests.flatMap((manifest) => {
    const spec = deploymentSpec(manifest);
    if (spec === undefined || roleOf(manifest) !== "server") return [manifest];
    const hasOne = manifests.some(isBudgetFor(manifest, spec));
    return hasOne ? [manifest] : [manifest, budgetOf(manifest, spec)];
  });
}
