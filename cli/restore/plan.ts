import { lastCheckpoints } from "../../infra/preflight/stack.ts";
import { memoryOf } from "../../infra/trust/memory.ts";
import type { Checkpoints } from "../../infra/trust/stamps.ts";
import type { Backup } from "../backup/archive.ts";
import { CannotRun } from "../errors.ts";
import { logsOf, type KnownLog } from "../logs.ts";
import { clusterOf, stashesOf, type State } from "../state.ts";
import type { Mark } from "./load.ts";
import { moved } from "./move.ts";

/** All that decides what a restore does. */
export interface Situation {
  backup: Pick<Backup, "manifest" | "state">;
  /** The stack's state as it is; a new stack has no resources in it. */
  current: State;
  /** The cluster that is restored to: its uid, and which of the stack's namespaces hold something. */
  cluster: { uid: string; occupied: readonly string[] };
}

export interface Plan {
  /** The state to import; undefined when the stack's own is of this cluster already. */
  state: State | undefined;
  /** Where each log must have been for the dump to be loaded. */
  marks: Mark[];
}

/**
 * Decides what a restore does. The newer of both states is taken: the stack's own where only the
 * cluster was lost, or a restore was broken off; the backup's where the state was lost as well.
 *
 * @throws CannotRun with what is in the way; nothing was changed
 */
export function planRestore({ backup, current, cluster }: Situation): Plan {
  assertSameInstance(backup.state, current);
  const newest = isNewer(current, backup.state) ? current : backup.state;
  const memory = memoryOf(stashesOf(newest));
  const logs = logsOf(memory).filter(({ hasKey }) => hasKey); // without one it signs nothing
  const recorded = lastCheckpoints(memory);
  assertNotOlder(backup.manifest.checkpoints, recorded, logs);
  const marks = [backup.manifest.checkpoints, recorded].flatMap((of) => marksOf(of, logs));
  if (clusterOf(current) === cluster.uid) return { state: undefined, marks };
  assertEmpty(cluster.occupied);
  return { state: moved(newest), marks };
}

function assertSameInstance(backup: State, current: State): void {
  const [theirs, ours] = [backup, current].map((state) => stashesOf(state)["instance"]);
  if (current.deployment.resources.length === 0 || theirs === ours) return;
  throw new CannotRun(
    "This stack is another Sigstore than the backup's; nothing was changed. Choose the backup's own " +
      "stack with --stack, or a new one: pulumi stack init NAME",
  );
}

/** A state without resources is never the newer one. */
function isNewer(current: State, other: State): boolean {
  const timeOf = ({ deployment }: State) => Date.parse(deployment.manifest?.time ?? "") || 0;
  return current.deployment.resources.length > 0 && timeOf(current) >= timeOf(other);
}

function assertEmpty(taken: readonly string[]): void {
  if (taken.length === 0) return;
  throw new CannotRun(
    `Namespaces of this stack's names hold something already (${taken.join(", ")}), but the state ` +
      "does not belong to it; nothing was changed. If KUBECONFIG names the right cluster, and what is " +
      "in them is of no use: kubectl delete namespace NAME",
  );
}

/** A log that signed on from an older dump would give its key two histories. */
function assertNotOlder(dump: Checkpoints, recorded: Checkpoints, logs: readonly KnownLog[]): void {
  const forked = logs.filter(({ name }) => {
    const [last, at] = [recorded[name], dump[name]];
    if (last === undefined || last.size === 0) return false;
    return at === undefined || at.size < last.size || isOther(at, last);
  });
  if (forked.length === 0) return;
  throw new CannotRun(
    `The backup is older than what the stack's state recorded of its logs; nothing was changed.\n` +
      forked.map((log) => `  ${describe(log, dump, recorded)}\n`).join("") +
      "Restored from it, they would sign a second history under the same keys. Restore a newer " +
      "backup. Without one these logs must never sign again: they are closed, what is signed verifies " +
      `without them, and new generations go on:\n${edits(forked)}\n` +
      "Not yet: this release cannot begin with them on an empty cluster. Until it can, keep the " +
      "backup, verify old signatures with the trusted_root.json that clients have, and let a new " +
      "stack sign: pulumi stack init NAME",
  );
}

type Checkpoint = Checkpoints[string];

const isOther = (a: Checkpoint, b: Checkpoint): boolean =>
  a.size === b.size && a.rootHash !== b.rootHash;

function describe({ name }: KnownLog, dump: Checkpoints, recorded: Checkpoints): string {
  const say = (at: Checkpoint | undefined) =>
    at === undefined ? "nothing" : `${at.size} entries, root ${at.rootHash.slice(0, 12)}`;
  return `${name}: the backup has ${say(dump[name])}; recorded are ${say(recorded[name])}`;
}

/** The configuration's lines for logs that are left as they are. */
function edits(logs: readonly KnownLog[]): string {
  const lines = logs.map(
    ({ kind, generation }) =>
      `    ${kind}: { "${generation}": closed, "${generation + 1}": active }`,
  );
  return ["  anchorhold:trust:", ...lines].join("\n");
}

function marksOf(checkpoints: Checkpoints, logs: readonly KnownLog[]): Mark[] {
  return logs.flatMap(({ name, record: { treeId } }) => {
    const at = checkpoints[name];
    return at === undefined || at.size === 0 ? [] : [{ name, treeId, ...at }];
  });
}
