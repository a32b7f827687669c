import { setTimeout as sleep } from "node:timers/promises";
import { AppsV1Api, KubeConfig, type V1Deployment } from "@kubernetes/client-node";
import type { Spaces } from "../../cli/rbac/manifests.ts";
import { stackNamespaces } from "../../infra/scaffold/names.ts";
import { LocalError } from "../errors.ts";
import type { Report } from "../report.ts";
import { kubeconfigFile } from "./environment.ts";

/** After a restart of the node an update finds nothing to change while the pods still start. */
const limitSeconds = 240;

/**
 * Waits until every Deployment of the stack is there in full.
 *
 * @throws LocalError naming those that are not, after four minutes
 */
export async function waitForStack(spaces: Spaces, report: Report): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigFile);
  const apps = config.makeApiClient(AppsV1Api);
  const namespaces = stackNamespaces(spaces.prefix, spaces.rekor);
  const deadline = Date.now() + limitSeconds * 1000;
  for (let tries = 0; ; tries += 1) {
    const lists = await Promise.all(
      namespaces.map((namespace) => apps.listNamespacedDeployment({ namespace })),
    );
    const missing = lists
      .flatMap(({ items }) => items)
      .filter((deployment) => !isComplete(deployment))
      .map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
    if (missing.length === 0) return;
    if (tries === 0) report(`Waiting for ${missing.join(", ")}`);
    if (Date.now() > deadline)
      throw new LocalError(
        `After ${limitSeconds} s these are not ready: ${missing.join(", ")}. See why with ` +
          `\`KUBECONFIG=${kubeconfigFile} kubectl get pods -A\`, then run \`npm start\` again.`,
      );
    await sleep(1000);
  }
}

function isComplete({ metadata, spec, status }: V1Deployment): boolean {
  const wanted = spec?.replicas ?? 1;
  return (
    status?.observedGeneration === metadata?.generation &&
    (status?.updatedReplicas ?? 0) >= wanted &&
    (status?.availableReplicas ?? 0) >= wanted
  );
}
