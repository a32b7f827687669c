import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import type { V1Container, V1Deployment } from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import { adminKubeconfig } from "./node.ts";

/** A container as the chart's own defaults have it: no limits, no hooks, no security context. */
function bareContainer(container: V1Container): object {
  return { name: container.name, resources: null, lifecycle: null, securityContext: null };
}

/** What turns a hardened Deployment into one of the chart's defaults (strategic merge patch). */
export function bare({ spec }: V1Deployment): object {
  const pod = spec?.template.spec;
  return {
    spec: {
      replicas: 1,
      template: {
        spec: {
          topologySpreadConstraints: null,
          containers: pod?.containers.map(bareContainer),
          initContainers: pod?.initContainers?.map(bareContainer),
        },
      },
    },
  };
}

/** The standard would refuse pods without a security context. */
const unlabelled = { metadata: { labels: { "pod-security.kubernetes.io/enforce": null } } };

const asMerge = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);

/**
 * Takes from every Deployment in these namespaces what Anchorhold adds to the chart, and waits until
 * they run so: what is left is the plain chart with keys that work. Users and groups stay, since a
 * Secret's files are theirs.
 */
export async function strip(namespaces: readonly string[]): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(adminKubeconfig());
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  for (const name of namespaces) await core.patchNamespace({ name, body: unlabelled }, asMerge);
  const deployments = async () =>
    (
      await Promise.all(namespaces.map((namespace) => apps.listNamespacedDeployment({ namespace })))
    ).flatMap(({ items }) => items);
  for (const deployment of await deployments()) {
    const { name = "", namespace = "" } = deployment.metadata ?? {};
    const body = bare(deployment);
    await apps.patchNamespacedDeployment({ name, namespace, body }, asMerge);
  }
  const deadline = Date.now() + 240_000;
  for (;;) {
    const waiting = (await deployments()).filter((deployment) => !isSettled(deployment));
    if (waiting.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`not settled: ${waiting.map(({ metadata }) => metadata?.name).join(", ")}`);
    await sleep(1_000);
  }
}

function isSettled({ metadata, status }: V1Deployment): boolean {
  return (
    status?.observedGeneration === metadata?.generation &&
    status?.replicas === 1 &&
    status.availableReplicas === 1 &&
    status.updatedReplicas === 1
  );
}
