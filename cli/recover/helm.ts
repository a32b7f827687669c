import { CoreV1Api, type KubeConfig, type V1ObjectMeta } from "@kubernetes/client-node";
import { metadataOf, metadataOnly } from "./metadata.ts";

/** A revision of a Helm release that a killed Helm has left half-way. */
export interface PendingRevision {
  namespace: string;
  release: string;
  revision: number;
  status: string;
  /** The last revision that was deployed; none when the release was never installed in full. */
  deployed: number | undefined;
  /** The Secret that keeps the record, as it was seen. */
  record: Pick<V1ObjectMeta, "name" | "uid" | "resourceVersion">;
}

const pending = new Set(["pending-install", "pending-upgrade", "pending-rollback"]);

/** The pending revisions among the records of a namespace (Secrets with the label `owner=helm`). */
export function pendingRevisions(records: readonly V1ObjectMeta[]): PendingRevision[] {
  const all = records.flatMap((metadata) => {
    const { name, status, version } = metadata.labels ?? {};
    if (name === undefined || status === undefined) return [];
    return [{ metadata, release: name, status, revision: Number(version) }];
  });
  return all
    .filter(({ status }) => pending.has(status))
    .map(({ metadata, release, status, revision }) => ({
      namespace: metadata.namespace ?? "",
      ...{ release, status, revision },
      deployed: all
        .filter((other) => other.release === release && other.status === "deployed")
        .map((other) => other.revision)
        .sort((a, b) => a - b)
        .at(-1),
      record: metadata,
    }));
}

/** What Helm will do after the record is gone. */
export function outcome({
  namespace,
  release,
  revision,
  status,
  deployed,
}: PendingRevision): string {
  const what = `Helm release ${namespace}/${release}: revision ${revision} is ${status}`;
  return deployed === undefined
    ? `${what}; without it the next update installs the release and takes over what is there`
    : `${what}; without it revision ${deployed} counts, and the next update upgrades from there`;
}

/** Every pending revision in these namespaces. Only labels are read, not what a record holds. */
export async function findPending(
  config: KubeConfig,
  namespaces: readonly string[],
): Promise<PendingRevision[]> {
  const core = config.makeApiClient(CoreV1Api);
  const lists = namespaces.map(async (namespace) => {
    const query = { namespace, labelSelector: "owner=helm" };
    return pendingRevisions(metadataOf(await core.listNamespacedSecret(query, metadataOnly)));
  });
  return (await Promise.all(lists)).flat();
}

/**
 * Removes a record: nothing rolls back, pods stay as they are. Helm upgrades from the last deployed
 * revision again, and takes over objects that carry the release's own name.
 * @throws when the record has changed since it was looked at, so that Helm may still be at work
 */
export async function removeRecord(config: KubeConfig, revision: PendingRevision): Promise<void> {
  const { name = "", uid, resourceVersion } = revision.record;
  await config.makeApiClient(CoreV1Api).deleteNamespacedSecret({
    name,
    namespace: revision.namespace,
    body: {
      preconditions: {
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
    },
  });
}
