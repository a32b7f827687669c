import * as z from "zod";
import { reportAll } from "../errors.ts";
import type { Growth } from "../observe/growth.ts";
import type { ClusterView } from "../platform/cluster.ts";
import type { Kind } from "../trust/generations.ts";
import type { KindMemory, Memory } from "../trust/memory.ts";
import type { Checkpoints } from "../trust/stamps.ts";

/** What the timestamp signer notes of its last signature. */
const lastTimestamp = z.object({ version: z.int(), snapshotVersion: z.int() });

/**
 * Compares the cluster with the state before anything is registered, in previews too.
 *
 * @param view what was seen in the cluster
 * @throws UserError with every reason why this state must not be used on this cluster
 */
export function assertSameStack(
  memory: Memory,
  view: Pick<ClusterView, "uid" | "timestamp">,
  now: Date,
): void {
  refuse([
    ...otherCluster(memory, view.uid),
    ...servedIsNewer(memory, view.timestamp),
    ...clockBehind(memory, now),
  ]);
}

/**
 * A log must only ever grow: one that was restored from an old dump would sign a second history.
 * @throws UserError that names each log that has forgotten entries
 */
export function assertGrown(growths: readonly Growth[]): void {
  refuse(
    growths.flatMap((growth) => {
      if (growth.result !== "forked") return [];
      const { name, seen, recorded } = growth;
      return [
        `${name} has ${seen.size} entries under root ${seen.rootHash.slice(0, 12)}, which does not ` +
          `continue the recorded ${recorded.size} under ${recorded.rootHash.slice(0, 12)}: its ` +
          "database is older than the log, or another. A log that signs two histories is worthless: " +
          "restore a newer dump (anchorhold restore), or leave it and begin a new generation",
      ];
    }),
  );
}

function refuse(reasons: readonly string[]): void {
  if (reasons.length > 0) throw reportAll("This update is refused; nothing was changed:", reasons);
}

function otherCluster({ cluster }: Memory, uid: string): string[] {
  if (cluster === undefined || cluster.uid === uid) return [];
  return [
    `this stack lives in the cluster whose kube-system has uid ${cluster.uid}, the kubeconfig leads ` +
      `to ${uid}: name the right context in kubernetes:context or KUBECONFIG. To move the stack to ` +
      "another cluster, use anchorhold restore",
  ];
}

function servedIsNewer(
  { publications }: Memory,
  timestamp: Record<string, string> | undefined,
): string[] {
  const last = timestamp?.["last"];
  if (last === undefined) return [];
  const served = lastTimestamp.parse(JSON.parse(last)).snapshotVersion;
  const known = publications.at(-1)?.version ?? 0;
  if (served <= known) return [];
  return [
    `the cluster serves version ${served} of the TUF repository, this state knows ` +
      `${known === 0 ? "none" : `${known} at most`}: it is an old backup or another stack's. Keys that ` +
      "are in use are missing from it. Restore the newest state: pulumi stack import --file FILE",
  ];
}

/** A clock that is behind would sign TUF metadata that is older than what clients have. */
function clockBehind({ publications }: Memory, now: Date): string[] {
  const signed = publications.at(-1)?.signed;
  if (signed === undefined || Date.parse(signed) <= now.getTime()) return [];
  return [
    `the TUF repository was signed at ${signed}, but this machine's clock says ` +
      `${now.toISOString()}: set the clock (for example with timedatectl) and run pulumi up again`,
  ];
}

/** The newest checkpoint of each log that any observation wrote down, by the log's name. */
export function lastCheckpoints({
  kinds,
}: {
  kinds: Readonly<Record<Kind, Pick<KindMemory, "published" | "switches">>>;
}): Checkpoints {
  const observations = Object.values(kinds)
    .flatMap(({ published, switches }) => [...Object.values(published), ...switches])
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return Object.assign({}, ...observations.map(({ checkpoints }) => checkpoints)) as Checkpoints;
}
