import { setTimeout as sleep } from "node:timers/promises";
import { AppsV1Api, KubeConfig, type V1Deployment } from "@kubernetes/client-node";
import { LocalError } from "../errors.ts";
import type { Report } from "../report.ts";
import { kubeconfigFile } from "./environment.ts";

/** After a restart of the node an update finds nothing to change while the pods still start. */
const limitSeconds = 240;

/**
 * Waits until every Deployment of the stack is there in full.
 *
 * @param prefix what the stack's namespaces begin with, without the dash
 * @throws LocalError naming those that are not, after four minutes
 */
export async function waitForStack(prefix: string, report: Report): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigFile);
  const apps = config.makeApiClient(AppsV1Api);
  const deadline = Date.now() + limitSeconds * 1000;
  for (let tries = 0; ; tries += 1) {
    const { items } = await apps.listDeploymentForAllNamespaces();
    const missing = items
      .filter(({ metadata }) => metadata?.namespace?.startsWith(`${prefix}-`))
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
