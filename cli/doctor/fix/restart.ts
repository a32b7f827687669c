import type { ObjectApi } from "../api.ts";
import { expectedObjects } from "../diagnose/expected.ts";
import type { Repair } from "../diagnose/fault.ts";
import type { Evidence } from "../evidence.ts";
import { at, refOf, type KubeObject, type Ref } from "../kubernetes.ts";

export type Pause = (milliseconds: number) => Promise<unknown>;

/** Deletes the pods, one after the other, so that others of their Deployment go on. */
export async function restartPods(
  api: ObjectApi,
  evidence: Evidence,
  { namespace, pods }: Extract<Repair, { type: "restart" }>,
  pause: Pause,
): Promise<string> {
  for (const name of pods) {
    await api.delete({ apiVersion: "v1", kind: "Pod", namespace, name });
    await settled(api, evidence, new Set([namespace]), pause);
  }
  return `restarted ${pods.map((pod) => `Pod ${namespace}/${pod}`).join(", ")}`;
}

/** How long what was changed may take until it serves, in seconds. */
const patience = 90;

/**
 * Waits until every Deployment of the namespaces has the pods that it wants, for a minute and a half
 * at most: what is not ready by then, the next look sees.
 */
export async function settled(
  api: ObjectApi,
  evidence: Evidence,
  namespaces: ReadonlySet<string>,
  pause: Pause,
): Promise<void> {
  const deployments = expectedObjects(evidence)
    .map(({ object }) => refOf(object))
    .filter(({ kind, namespace }) => kind === "Deployment" && namespaces.has(namespace));
  for (let second = 0; second < patience && deployments.length > 0; second++) {
    // The controller needs a moment before it counts what was deleted.
    await pause(second === 0 ? 300 : 1000);
    const all = await Promise.all(deployments.map((ref) => isReady(api, ref)));
    if (all.every((ready) => ready)) return;
  }
}

async function isReady(api: ObjectApi, ref: Ref): Promise<boolean> {
  const live: KubeObject | undefined = await api.get(ref);
  if (live === undefined) return true;
  const wanted = Number(at(live, "spec", "replicas") ?? 1);
  const counted = (field: string) => Number(at(live, "status", field) ?? 0);
  const seen = counted("observedGeneration") >= Number(at(live, "metadata", "generation") ?? 0);
  return seen && counted("readyReplicas") >= wanted && counted("updatedReplicas") >= wanted;
}
