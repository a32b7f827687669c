import type { Manifest } from "../infra/scaffold/postrender/manifest.ts";
import { rendered } from "./helm.ts";
import { find, isObject, list, unknown, type Plain, type PlainObject } from "./plain.ts";
import { isRelease } from "./release.ts";
import { resourceRule, type Resource } from "./rule.ts";
import type { ResourceValidationPolicy } from "@pulumi/policy";

/** `kubernetes:apps/v1:Deployment`; the core group is written `core/v1`. */
const kubernetesType = /^kubernetes:([a-z0-9.]+\/v[a-z0-9]+):([A-Z]\w*)$/;

/** The Kubernetes object that a resource itself is. */
export function ownObject({ type, name, props }: Resource): Manifest | undefined {
  const [, group, kind] = kubernetesType.exec(type) ?? [];
  if (group === undefined || kind === undefined) return undefined;
  const metadata = isObject(props["metadata"]) ? props["metadata"] : {};
  const apiVersion = group.replace(/^core\//, "");
  return { ...props, apiVersion, kind, metadata: { name, ...metadata } };
}

/** The settings of every rule that renders. */
export interface Rendering {
  helm: string;
}

const renderingConfig = {
  helm: { type: "string", default: "helm" },
} as const;

export interface ObjectRule<C> {
  name: string;
  description: string;
  config?: Parameters<typeof resourceRule>[0]["config"];
  /** Looks at the objects that come into the cluster together: a whole Release, or one object. */
  check(objects: readonly Manifest[], config: C, stack: string): string[];
  /** Whether the rule needs a whole Release, because what it looks for is another object. */
  together?: boolean;
}

/**
 * A rule over Kubernetes objects: those that Releases render to, and the stack's own. A Release that
 * cannot be rendered is refused by each.
 */
export function objectRule<C extends object>(rule: ObjectRule<C>): ResourceValidationPolicy {
  return resourceRule<C & Rendering>({
    name: rule.name,
    description: rule.description,
    config: { ...renderingConfig, ...rule.config },
    check: async (resource, config) => {
      const { stack } = resource;
      if (isRelease(resource)) {
        const found = await rendered(resource, config.helm);
        if ("problem" in found)
          return [`Release ${resource.name} cannot be checked: ${found.problem}`];
        return rule
          .check(found.objects, config, stack)
          .map((line) => `Release ${resource.name}: ${line}`);
      }
      const object = rule.together ? undefined : ownObject(resource);
      return object === undefined ? [] : rule.check([object], config, stack);
    },
  });
}

/** Where the kinds keep the template of their pods. */
const templates: Readonly<Record<string, string[]>> = {
  Deployment: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  ReplicationController: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
  Pod: [],
};

/**
 * The spec of the pods that an object makes. None where a preview does not know it yet: the update
 * knows it, and asks again before anything is made.
 */
export function podSpec(object: Manifest): PlainObject | undefined {
  const path = templates[object.kind];
  if (path === undefined) return undefined;
  const plain = object as unknown as Plain;
  const isLater = path.some((_, depth) => find(plain, ...path.slice(0, depth + 1)) === unknown);
  const spec = find(plain, ...path, "spec");
  if (isLater || spec === unknown) return undefined;
  return isObject(spec) ? spec : {};
}

/** Every container of a pod, init containers first. */
export function containers(pod: PlainObject): PlainObject[] {
  return ["initContainers", "containers", "ephemeralContainers"].flatMap((key) => list(pod, key));
}
