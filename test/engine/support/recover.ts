import { refOf } from "../../../local/pulumi/kubernetes/cluster.ts";
import type { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import { textAt, type Props } from "../../../local/pulumi/values.ts";
import type { Engine, PendingOperation, StateResource } from "./engine.ts";
import { labelled } from "./pods.ts";

/**
 * The environment of the first update after a recovery. An object with a fixed name that was made
 * and not recorded is there already; with this the Kubernetes plugin takes it over instead of
 * failing with "already exists" (pulumi-kubernetes 4.29 and later).
 */
export const takingOver = { PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true" } as const;

const RELEASE = "kubernetes:helm.sh/v3:Release";

/**
 * Clears what a killed update leaves, touching nothing that serves and nothing that is recorded:
 *
 * 1. The lock: `pulumi cancel`.
 * 2. Helm's record of a release that is pending (Helm refuses the next upgrade) or that the state
 *    does not know (Helm refuses to install a second time). Its objects stay, and Helm takes them
 *    over, since they bear the release's own marks.
 * 3. An object with a generated name that was made and not recorded: the next update makes another,
 *    and a Secret that nobody reads would stay for ever.
 * 4. The pending operations themselves: exporting the state and importing it again drops them.
 *    `pulumi refresh --clear-pending-creates` does as well, but asks every plugin for everything;
 *    `--import-pending-creates` drops them without importing (tried with Pulumi 3.250).
 */
export async function recover(engine: Engine, cluster: MemoryCluster): Promise<void> {
  await engine.cancel();
  const { text, state } = await engine.exportState();
  const { pending_operations: pending = [], resources = [] } = state.deployment;
  for (const record of await abandonedReleases(cluster, lost(pending, resources)))
    await cluster.delete(refOf(record));
  for (const resource of lost(pending, resources)) {
    const object = generated(resource);
    if (object !== undefined) await cluster.delete(refOf(object));
  }
  if (pending.length > 0) await engine.importState(text);
}

/** What was being made when the update died, unless a later update has made it since. */
function lost(
  pending: readonly PendingOperation[],
  resources: readonly StateResource[],
): StateResource[] {
  const known = new Set(resources.map(({ urn }) => urn));
  return pending
    .filter(({ type, resource }) => type === "creating" && !known.has(resource.urn))
    .map(({ resource }) => resource);
}

/** Helm's Secrets, one a revision, of releases that are pending or lost. */
async function abandonedReleases(
  cluster: MemoryCluster,
  resources: readonly StateResource[],
): Promise<Props[]> {
  const secrets = await cluster.list({ apiVersion: "v1", kind: "Secret", namespace: "" });
  const releases = resources
    .filter(({ type }) => type === RELEASE)
    .map(({ inputs = {} }) => ({ name: inputs["name"], namespace: inputs["namespace"] }));
  return labelled(secrets, { owner: "helm" }).filter((secret) => {
    const { namespace } = refOf(secret);
    const [name, status] = ["name", "status"].map((key) =>
      textAt(secret, "metadata", "labels", key),
    );
    const isLost = releases.some((one) => one.name === name && one.namespace === namespace);
    return isLost || status?.startsWith("pending-") === true;
  });
}

/** The inputs of an object whose name Pulumi has made up. */
function generated({ inputs = {} }: StateResource): Props | undefined {
  const object = inputs as Props;
  const mark = textAt(object, "metadata", "annotations", "pulumi.com/autonamed");
  return mark === "true" ? object : undefined;
}
