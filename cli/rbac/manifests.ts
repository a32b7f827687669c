import { stackNamespaces } from "../../infra/scaffold/names.ts";
import type { Exposure } from "../../infra/config/exposure.ts";
import { certificateSecret } from "../../infra/platform/entrance/secret.ts";
import {
  entranceRules,
  monitoringRule,
  namespaceRules,
  namespaceVerbs,
  pluginRules,
  quotaRule,
} from "./rules.ts";

/** Who deploys, as an RBAC subject. */
export type Subject =
  | { kind: "ServiceAccount"; namespace: string; name: string }
  | { kind: "User" | "Group"; apiGroup: "rbac.authorization.k8s.io"; name: string };

/** The part of a configuration that decides which namespaces there are, and what is in them. */
export interface Spaces {
  prefix: string;
  /** Every generation that is configured. */
  rekor: readonly number[];
  /** Node ports if left out. */
  exposure?: Exposure;
  /** Whether the stack makes quotas. */
  quota?: boolean;
  /** Whether it makes objects of the Prometheus operator where the cluster has their kinds. */
  monitoring?: boolean;
}

/** A Kubernetes object. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  [field: string]: unknown;
}

const rbac = "rbac.authorization.k8s.io";

/**
 * What an administrator applies once before the first deployment, and again for a new Rekor
 * generation: the stack's namespaces, and a Role in each for the deploying identities. All of them in
 * one go: a binding's subjects are replaced as a whole.
 */
export function deployerManifests(
  { prefix, rekor, exposure, quota = false, monitoring = false }: Spaces,
  subjects: readonly Subject[],
): Manifest[] {
  const spaces = stackNamespaces(prefix, rekor);
  const name = `${prefix}-deployer`;
  const rules = [
    ...namespaceRules,
    ...entranceRules[exposure?.type ?? "nodePort"],
    ...pluginRules,
    ...(quota ? [quotaRule] : []),
    ...(monitoring ? [monitoringRule] : []),
  ];
  return [
    ...spaces.map((space) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: space },
    })),
    ...spaces.flatMap((namespace) => [
      {
        apiVersion: `${rbac}/v1`,
        kind: "Role",
        metadata: { name, namespace },
        rules: rules.map(({ apiGroup, ...rule }) => ({ apiGroups: [apiGroup], ...rule })),
      },
      binding("RoleBinding", { name, namespace }, "Role", subjects),
    ]),
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRole",
      metadata: { name },
      rules: [
        rule("namespaces", namespaceVerbs, spaces),
        // Its uid tells one cluster from another.
        rule("namespaces", ["get"], ["kube-system"]),
      ],
    },
    binding("ClusterRoleBinding", { name }, "ClusterRole", subjects),
    ...certificateReader(name, exposure, subjects),
  ];
}

/** The certificate of the host names lies in a namespace of somebody else's: it is only looked at. */
function certificateReader(
  role: string,
  exposure: Exposure | undefined,
  subjects: readonly Subject[],
): Manifest[] {
  const secret = exposure && certificateSecret(exposure);
  if (secret === undefined) return [];
  const metadata = { name: `${role}-certificate`, namespace: secret.namespace };
  const rules = [rule("secrets", ["get"], [secret.name])];
  return [
    { apiVersion: `${rbac}/v1`, kind: "Role", metadata, rules },
    binding("RoleBinding", metadata, "Role", subjects),
  ];
}

function rule(resource: string, verbs: readonly string[], resourceNames: readonly string[]) {
  return { apiGroups: [""], resources: [resource], verbs, resourceNames };
}

function binding(
  kind: "RoleBinding" | "ClusterRoleBinding",
  metadata: Manifest["metadata"],
  role: "Role" | "ClusterRole",
  subjects: readonly Subject[],
) {
  return {
    apiVersion: `${rbac}/v1`,
    kind,
    metadata,
    roleRef: { apiGroup: rbac, kind: role, name: metadata.name },
    subjects,
  };
}
