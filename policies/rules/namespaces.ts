import { objectRule, ownObject } from "../objects.ts";
import { find, isObject, text, type Plain, type PlainObject } from "../plain.ts";
import { stackRule, type Resource } from "../rule.ts";

const enforce = "pod-security.kubernetes.io/enforce";

export const namespacesRestricted = objectRule<object>({
  name: "namespaces-restricted",
  description:
    'Have the cluster itself enforce the "restricted" Pod Security Standard in every namespace (infra/platform/namespace.ts), so that no other pod gets in either.',
  check: (objects) =>
    objects
      .filter(({ apiVersion, kind }) => apiVersion === "v1" && kind === "Namespace")
      .filter(({ metadata }) => metadata.labels?.[enforce] !== "restricted")
      .map(({ metadata }) => `Namespace ${metadata.name} does not enforce it`),
});

/** A policy for every pod of its namespace that lets nothing in and nothing out. */
function deniesAll(spec: Plain): boolean {
  const selector = find(spec, "podSelector");
  const types = find(spec, "policyTypes");
  const isEmpty = (rules: Plain) => rules === undefined || (Array.isArray(rules) && !rules.length);
  return (
    isObject(selector) &&
    Object.values(selector).every((one) => one === undefined) &&
    Array.isArray(types) &&
    ["Ingress", "Egress"].every((type) => types.includes(type)) &&
    isEmpty(find(spec, "ingress")) &&
    isEmpty(find(spec, "egress"))
  );
}

/** The stack's own objects of one kind, as they are in the cluster. */
function objectsOf(resources: readonly Resource[], kind: string): PlainObject[] {
  return resources
    .map((resource) => ownObject(resource) as unknown as PlainObject | undefined)
    .filter((object) => object !== undefined)
    .filter((object) => object["kind"] === kind);
}

export const networkPolicies = stackRule<object>({
  name: "network-policies",
  description:
    "Give every namespace a NetworkPolicy that denies all (infra/platform/networkPolicies.ts), so that only what another one allows gets in or out.",
  check: (resources) => {
    const denied = objectsOf(resources, "NetworkPolicy")
      .filter((policy) => deniesAll(policy["spec"]))
      .map((policy) => find(policy, "metadata", "namespace"));
    return objectsOf(resources, "Namespace")
      .filter((namespace) => !denied.includes(find(namespace, "metadata", "name")))
      .map((namespace) => `Namespace ${text(find(namespace, "metadata", "name"))} has none`);
  },
});
