import type { Manifest } from "../../infra/scaffold/postrender/manifest.ts";
import { rendered } from "../helm.ts";
import { containers, ownObject, podSpec, type Rendering } from "../objects.ts";
import { find, isObject, list, text, type Plain, type PlainObject } from "../plain.ts";
import { quantity } from "../quantity.ts";
import { isRelease } from "../release.ts";
import { stackRule, type Resource } from "../rule.ts";

/** An object with how many of it there are at the worst moment of an update. */
interface Counted {
  object: Manifest;
  copies: number;
}

const at = (object: Manifest, ...path: string[]) => find(object as unknown as Plain, ...path);

/** `25%` of the replicas, rounded up, or a number (Kubernetes, DeploymentSpec.strategy). */
function surge(object: Manifest, replicas: number): number {
  if (at(object, "spec", "strategy", "type") === "Recreate") return 0;
  const given = at(object, "spec", "strategy", "rollingUpdate", "maxSurge") ?? "25%";
  const percent = /^(\d+)%$/.exec(text(given))?.[1];
  return percent === undefined ? quantity(given) : Math.ceil((replicas * Number(percent)) / 100);
}

/** The pods of an object while it rolls; NaN for kinds whose number its spec does not tell. */
function podsOf(object: Manifest): number {
  const replicas = quantity(at(object, "spec", "replicas") ?? 1);
  switch (object.kind) {
    case "Deployment":
      return replicas + surge(object, replicas);
    case "StatefulSet":
    case "ReplicaSet":
      return replicas;
    case "Pod":
      return 1;
    case "Job":
      return quantity(at(object, "spec", "parallelism") ?? 1);
    case "CronJob":
      return at(object, "spec", "concurrencyPolicy") === "Allow"
        ? NaN
        : quantity(at(object, "spec", "jobTemplate", "spec", "parallelism") ?? 1);
    default:
      return NaN;
  }
}

/**
 * What one pod counts for: its containers together, or an init container if that wants more, since
 * those end before the others start. NaN where a container says nothing.
 */
function perPod(pod: PlainObject, section: string, what: string): number {
  const of = (container: PlainObject) => quantity(find(container, "resources", section, what));
  const [init, running] = [list(pod, "initContainers"), list(pod, "containers")];
  const sum = running.reduce((total, container) => total + of(container), 0);
  return containers(pod).length === 0 ? NaN : Math.max(sum, ...init.map(of));
}

/** What an object uses of an entry of a quota's `hard`; NaN where it cannot be computed. */
function useOf({ object, copies }: Counted, entry: string): number {
  if (object.kind === "PersistentVolumeClaim")
    return entry === "requests.storage"
      ? quantity(at(object, "spec", "resources", "requests", "storage"))
      : 0;
  const pod = podSpec(object);
  if (pod === undefined) return 0;
  const pods = copies * podsOf(object);
  const [, section, what] = /^(requests|limits)\.(cpu|memory)$/.exec(entry) ?? [];
  if (entry === "pods") return pods;
  if (entry === "requests.storage") return 0;
  return section === undefined || what === undefined ? NaN : pods * perPod(pod, section, what);
}

function problemsOf(quota: Manifest, objects: readonly Counted[]): string[] {
  const { namespace = "" } = quota.metadata;
  const place = `Namespace ${namespace}`;
  const hard = at(quota, "spec", "hard");
  if (!isObject(hard)) return [`${place}: its quota is not known`];
  const inside = objects.filter(({ object }) => object.metadata.namespace === namespace);
  return Object.entries(hard).flatMap(([entry, given]) => {
    const need = inside.reduce((total, one) => total + useOf(one, entry), 0);
    if (Number.isNaN(need) || Number.isNaN(quantity(given)))
      return [`${place}: ${entry} of its quota cannot be computed`];
    // The rounding of sums of tenths is no need.
    return need - quantity(given) <= 1e-6
      ? []
      : [`${place}: its pods need more ${entry} than its quota has`];
  });
}

/** The objects of a Release, or why they cannot be had. */
async function ofRelease(release: Resource, helm: string): Promise<Counted[] | string> {
  const found = await rendered(release, helm);
  if ("problem" in found) return `Release ${release.name} cannot be checked: ${found.problem}`;
  const namespace = text(release.props["namespace"]);
  return found.objects.map((object) => ({
    object: { ...object, metadata: { namespace, ...object.metadata } },
    copies: 1,
  }));
}

/** Deployments of the program's own are made anew beside the former ones (the TUF mirror's states). */
const isReplaced = ({ kind }: Manifest) => kind === "Deployment";

export const fitsQuota = stackRule<Rendering>({
  name: "fits-quota",
  description:
    "Give each namespace a quota that holds all its pods while they roll (anchorhold:quota), or ask for less (anchorhold:resources, anchorhold:replicas): pods beyond a quota never appear.",
  config: { helm: { type: "string", default: "helm" } },
  check: async (resources, { helm }) => {
    const own = resources.flatMap((resource) => ownObject(resource) ?? []);
    const quotas = own.filter(({ kind }) => kind === "ResourceQuota");
    if (quotas.length === 0) return [];
    const releases = await Promise.all(
      resources.filter(isRelease).map((release) => ofRelease(release, helm)),
    );
    const objects = [
      ...own.map((object) => ({ object, copies: isReplaced(object) ? 2 : 1 })),
      ...releases.flatMap((found) => (typeof found === "string" ? [] : found)),
    ];
    return [
      ...releases.filter((found) => typeof found === "string"),
      ...quotas.flatMap((quota) => problemsOf(quota, objects)),
    ];
  },
});
