import type * as k8s from "@pulumi/kubernetes";
import type { Config } from "../config.ts";
import { reencrypts } from "../config/exposure.ts";
import { probeEvery } from "../config/probe.ts";
import { quotaOf, type Quota } from "../config/quota.ts";
import type { Volume } from "../config/volume.ts";
import { reportAll } from "../errors.ts";
import { spaces, type Component } from "../scaffold/names.ts";
import { quantity } from "../scaffold/sizes.ts";
import { workloads, type Workload } from "../scaffold/workloads.ts";

/** What a namespace needs, in cores, bytes and pods. */
export type Need = Record<keyof Quota, number>;

type Sized = Pick<Config, "prefix" | "trust" | "quota"> & Load;
/** What decides how much a component's namespace needs. */
type Load = Pick<
  Config,
  | "resources"
  | "replicas"
  | "exposure"
  | "database"
  | "searchIndex"
  | "attestations"
  | "issuers"
  | "probe"
>;

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
const amount = (text: string | undefined) => (text === undefined ? 0 : quantity(text));

/** A pod's own: init containers end before the others start, so the larger of both counts. */
function perPod(workload: Workload, of: "requests" | "limits", what: string): number {
  const { container, tlsProxy, init } = workload;
  const together = amount(container[of][what]) + amount(tlsProxy?.[of][what]);
  return Math.max(together, amount(init?.[of][what]));
}

/** The volumes that are claimed in a component's namespace. */
function volumes(component: Component, { database, searchIndex, attestations }: Load): Volume[] {
  const claimed = (data: typeof database | typeof searchIndex | typeof attestations) =>
    typeof data === "object" && "size" in data ? [data] : [];
  if (component === "trillian") return claimed(database);
  return component === "rekor" ? [searchIndex, attestations].flatMap(claimed) : [];
}

/** Whether no pod of ours does the work. */
function isElsewhere(workload: string, config: Load): boolean {
  const { database, searchIndex } = config;
  if (workload === "database") return "external" in database;
  if (workload === "prober") return probeEvery(config) === undefined;
  return (
    workload === "redis" &&
    (searchIndex === "none" || (typeof searchIndex === "object" && "external" in searchIndex))
  );
}

/** The most that a component's namespace needs at once: see `workloads`. */
export function needOf(component: Component, config: Load): Need {
  const { resources, replicas, exposure } = config;
  const all = workloads(component, resources, replicas, reencrypts(exposure)).filter(
    ({ name }) => !isElsewhere(name, config),
  );
  const total = (of: "requests" | "limits", what: string) =>
    sum(all.map((workload) => workload.pods * perPod(workload, of, what)));
  return {
    cpu: total("requests", "cpu"),
    memory: total("requests", "memory"),
    memoryLimits: total("limits", "memory"),
    pods: sum(all.map(({ pods }) => pods)),
    storage: sum(volumes(component, config).map(({ size }) => quantity(size))),
  };
}

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)}Mi`;
const units: Record<keyof Quota, (number: number) => string> = {
  cpu: (cores) => `${Math.ceil(Number((cores * 1000).toFixed(3)))}m`,
  memory: mebibytes,
  memoryLimits: mebibytes,
  pods: String,
  storage: mebibytes,
};

/** Every place where a namespace is given less than it needs, as a sentence. */
export function quotaProblems(config: Sized): string[] {
  const generations = Object.keys(config.trust.rekor).map(Number);
  return spaces(config.prefix, generations).flatMap(({ namespace, component }) => {
    const quota = quotaOf(config.quota, component) ?? {};
    const need = needOf(component, config);
    return (Object.keys(units) as (keyof Quota)[]).flatMap((what) => {
      const given = quota[what];
      if (given === undefined || quantity(String(given)) >= need[what]) return [];
      return [
        `namespace ${namespace}: ${what} ${given} is given, ${units[what](need[what])} needed`,
      ];
    });
  });
}

/**
 * Refuses a quota that the stack does not fit, before anything is registered: later, pods would just
 * not appear.
 * @throws UserError that names every namespace with what it needs and what it is given
 */
export function assertQuota(config: Sized): void {
  const problems = quotaProblems(config);
  if (problems.length > 0)
    throw reportAll(
      "anchorhold:quota is too small for the stack, pods that roll included, so nothing was changed. " +
        "Raise it in the stack file, or lower anchorhold:resources or anchorhold:replicas there, and " +
        "run the same command again:",
      problems,
    );
}

/** The quota as Kubernetes counts it. */
export function resourceQuotaSpec(quota: Quota): k8s.types.input.core.v1.ResourceQuotaSpec {
  const { cpu, memory, memoryLimits, pods, storage } = quota;
  const hard = {
    ...(cpu === undefined ? {} : { "requests.cpu": cpu }),
    ...(memory === undefined ? {} : { "requests.memory": memory }),
    ...(memoryLimits === undefined ? {} : { "limits.memory": memoryLimits }),
    ...(pods === undefined ? {} : { pods: String(pods) }),
    ...(storage === undefined ? {} : { "requests.storage": storage }),
  };
  return { hard };
}

/**
 * What a container gets that says nothing: under a quota it would be refused otherwise. All of the
 * stack's own say it themselves; these are for what others run there, such as `kubectl debug`.
 */
export const limitRangeSpec: k8s.types.input.core.v1.LimitRangeSpec = {
  limits: [
    {
      type: "Container",
      defaultRequest: { cpu: "10m", memory: "32Mi" },
      default: { memory: "128Mi" },
    },
  ],
};
