import { CoreV1Api, type KubeConfig, type V1ObjectMeta } from "@kubernetes/client-node";
import { lost, namespacesOf, objectOf, type State } from "../state.ts";
import { metadataOf, metadataOnly } from "./metadata.ts";

/** A record of Helm's that stands in the way of the next update. */
export interface StaleRecord {
  namespace: string;
  release: string;
  revision: number;
  status: string;
  /** The revision that counts without it; none when Helm will install the release anew. */
  deployed: number | undefined;
  /** The Secret that keeps the record, as it was seen. */
  secret: Pick<V1ObjectMeta, "name" | "uid" | "resourceVersion">;
}

const pending = new Set(["pending-install", "pending-upgrade", "pending-rollback"]);

/**
 * Among the records of a namespace (Secrets with the label `owner=helm`): pending revisions, after
 * which Helm refuses to upgrade, and every revision of a release that the state does not know,
 * which Helm refuses to install a second time.
 *
 * @param unknown names of releases that were installed, but the state was not told
 */
export function staleRecords(
  records: readonly V1ObjectMeta[],
  unknown: readonly string[],
): StaleRecord[] {
  const all = records.flatMap((metadata) => {
    const { name, status, version } = metadata.labels ?? {};
    if (name === undefined || status === undefined) return [];
    return [{ metadata, release: name, status, revision: Number(version) }];
  });
  const deployed = (release: string) =>
    all
      .filter((other) => other.release === release && other.status === "deployed")
      .map(({ revision }) => revision)
      .sort((a, b) => a - b)
      .at(-1);
  return all
    .filter(({ release, status }) => pending.has(status) || unknown.includes(release))
    .map(({ metadata, release, status, revision }) => ({
      namespace: metadata.namespace ?? "",
      ...{ release, status, revision },
      deployed: unknown.includes(release) ? undefined : deployed(release),
      secret: metadata,
    }));
}

/** What Helm will do after the record is gone. */
export function outcome({ namespace, release, revision, status, deployed }: StaleRecord): string {
  const what = `Helm release ${namespace}/${release}: revision ${revision} is ${status}`;
  return deployed === undefined
    ? `${what}, which the state does not know; without its record the next update installs the ` +
        "release and takes over what is there"
    : `${what}; without its record revision ${deployed} counts, and the next update upgrades from there`;
}

/** Every such record in the stack's namespaces. Only labels are read, not what a record holds. */
export async function findStale(config: KubeConfig, state: State): Promise<StaleRecord[]> {
  const core = config.makeApiClient(CoreV1Api);
  const unknown = lost(state)
    .flatMap((resource) => objectOf(resource) ?? [])
    .filter(({ kind }) => kind === "Release");
  const lists = namespacesOf(state).map(async (namespace) => {
    const query = { namespace, labelSelector: "owner=helm" };
    const records = metadataOf(await core.listNamespacedSecret(query, metadataOnly));
    const here = unknown.filter((release) => release.namespace === namespace);
    return staleRecords(
      records,
      here.map(({ name }) => name),
    );
  });
  return (await Promise.all(lists)).flat();
}

/**
 * Removes a record: nothing rolls back, pods stay as they are. Helm upgrades from the last deployed
 * revision again, and takes over objects that carry the release's own name.
 * @throws when the record has changed since it was looked at, so that Helm may still be at work
 */
export async function removeRecord(config: KubeConfig, stale: StaleRecord): Promise<void> {
  const { name = "", uid, resourceVersion } = stale.secret;
  await config.makeApiClient(CoreV1Api).deleteNamespacedSecret({
    name,
    namespace: stale.namespace,
    body: {
      preconditions: {
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
    },
  });
}
