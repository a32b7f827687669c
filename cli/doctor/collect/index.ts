import type { KubeConfig } from "@kubernetes/client-node";
import { trustAlso } from "../../../infra/observe/network.ts";
import { CannotRun } from "../../errors.ts";
import { ObjectApi } from "../api.ts";
import type { Evidence, StackLock, StackState } from "../evidence.ts";
import { collectAddresses } from "./addresses.ts";
import { collectGrowth } from "./growth.ts";
import { collectObjects } from "./objects.ts";
import { collectServed } from "./served.ts";

/** What Pulumi's backend tells. */
export interface Known {
  state: StackState;
  locks: readonly StackLock[];
}

/**
 * Looks at all that a state speaks of; nothing is changed.
 * @throws CannotRun when the cluster is another one, does not answer, or may not be looked at
 */
export async function collect(
  { state, locks }: Known,
  config: KubeConfig,
  now: () => Date = () => new Date(),
): Promise<Evidence> {
  const api = new ObjectApi(config);
  await requireOwnCluster(api, state, config);
  const { outputs } = state;
  trustAlso(outputs.mirror.caBundle);
  const [objects, served, addresses, growths] = await Promise.all([
    collectObjects(api, state),
    collectServed(config, outputs),
    collectAddresses(outputs),
    collectGrowth(config, outputs),
  ]);
  return { now: now(), state, locks, ...objects, served, addresses, growths };
}

/** Anywhere else everything would look deleted, and `--fix` would make it there. */
async function requireOwnCluster(
  api: ObjectApi,
  { outputs: { clusterUid } }: StackState,
  config: KubeConfig,
): Promise<void> {
  const system = { apiVersion: "v1", kind: "Namespace", namespace: "", name: "kube-system" };
  const uid = (await api.get(system))?.metadata.uid;
  if (uid === clusterUid) return;
  throw new CannotRun(
    `The stack lives in the cluster whose kube-system has uid ${clusterUid}, but context ` +
      `"${config.getCurrentContext()}" leads to ${uid ?? "none"}. Set KUBECONFIG or its context.`,
  );
}
