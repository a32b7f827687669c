import { quantity } from "../../../infra/scaffold/sizes.ts";
import type { Props } from "../../../local/pulumi/values.ts";
import type { PodSpec } from "./stackPods.ts";

/** An object of a cluster that makes pods. */
export interface PodMaker {
  kind: string;
  namespace: string;
  name: string;
  /** At once, without a roll. */
  replicas: number;
  pod: PodSpec;
}

interface Made {
  kind: string;
  metadata: { name: string; namespace: string };
  spec: {
    replicas?: number;
    template?: { spec: PodSpec };
    jobTemplate?: { spec: { template: { spec: PodSpec } } };
  };
}

/** Deployments, Jobs and CronJobs among a cluster's objects, in the order of their names. */
export function podsIn(objects: readonly Props[]): PodMaker[] {
  return (objects as unknown as Made[])
    .filter(({ kind }) => ["Deployment", "Job", "CronJob"].includes(kind))
    .map(({ kind, metadata: { name, namespace }, spec }) => ({
      ...{ kind, name, namespace, replicas: spec.replicas ?? 1 },
      pod: (spec.template ?? spec.jobTemplate!.spec.template).spec,
    }))
    .sort((a, b) => `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`));
}

/** What their pods request together; init containers end before the others start. */
export function sumOf(makers: readonly PodMaker[], what: string): number {
  const of = (containers: PodSpec["containers"] = []) =>
    containers.map(({ resources }) => quantity(resources.requests?.[what] ?? "0"));
  const perPod = ({ pod }: PodMaker) =>
    Math.max(
      of(pod.containers).reduce((sum, one) => sum + one, 0),
      ...of(pod.initContainers),
    );
  return makers.reduce((sum, maker) => sum + maker.replicas * perPod(maker), 0);
}
