import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config.ts";
import { quotaOf, type Quota } from "../config/quota.ts";
import { replaceable } from "../protect.ts";
import { spaces } from "../scaffold/names.ts";
import { denyName, networkPolicies, type Policy } from "./networkPolicies.ts";
import { limitRangeSpec, resourceQuotaSpec } from "./quota.ts";

/** What surrounds the pods of one namespace. */
export interface Guard {
  labels: Readonly<Record<string, string>>;
  policies: readonly Policy[];
  quota: Quota | undefined;
}

/** The guard of each of the stack's namespaces. */
export function guardsOf(config: Config): (namespace: string) => Guard {
  const policies = networkPolicies(config);
  const all = spaces(config.prefix, Object.keys(config.trust.rekor).map(Number));
  const guards = new Map(
    all.map(({ namespace, component }): [string, Guard] => [
      namespace,
      {
        labels: config.labels,
        policies: policies.filter((policy) => policy.namespace === namespace),
        quota: quotaOf(config.quota, component),
      },
    ]),
  );
  return (namespace) => {
    const guard = guards.get(namespace);
    if (guard === undefined) throw new Error(`${namespace} is no namespace of this stack`);
    return guard;
  };
}

/**
 * Makes the quota and the network policies. What allows comes before what denies, so that an update
 * of a stack without policies cuts nobody off.
 * @returns what is made last: pods come after it
 */
export function guarded(
  name: string,
  namespace: pulumi.Input<string>,
  { policies, quota }: Guard,
  opts?: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const metadata = { name: "anchorhold", namespace };
  const limits =
    quota === undefined
      ? []
      : [
          new k8s.core.v1.ResourceQuota(
            `${name}-quota`,
            { metadata, spec: resourceQuotaSpec(quota) },
            { ...opts, ...replaceable },
          ),
          new k8s.core.v1.LimitRange(
            `${name}-limits`,
            { metadata, spec: limitRangeSpec },
            { ...opts, ...replaceable },
          ),
        ];
  const policy = ({ name: called, spec }: Policy, dependsOn: pulumi.Resource[]) =>
    new k8s.networking.v1.NetworkPolicy(
      `${name}-${called}`,
      { metadata: { name: called, namespace }, spec },
      { ...opts, dependsOn },
    );
  const allowing = policies.filter((one) => one.name !== denyName).map((one) => policy(one, []));
  const [denying] = policies.filter((one) => one.name === denyName);
  if (denying === undefined) throw new Error(`${name} has no policy that denies`);
  return policy(denying, [...limits, ...allowing]);
}
