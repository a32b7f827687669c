import { confirm } from "../ask.ts";
import { assertOwnCluster, targetOf, type Target } from "../cluster.ts";
import { CannotRun } from "../errors.ts";
import { askPulumi, stackFlag } from "../pulumi.ts";
import { exportState, importState, namespacesOf, type State } from "../state.ts";
import { findStale, outcome, removeRecord, type StaleRecord } from "./helm.ts";
import { assertDead, findBackend, locksInMessage, readLocks } from "./lock.ts";
import { findObjects, orphansAmong, removal } from "./orphans.ts";
import { thisHost, type Lock } from "./owner.ts";
import { findMade, withResources } from "./takeOver.ts";

export interface RecoverOptions {
  stack?: string;
  /** Repair without asking. */
  yes: boolean;
  /** The user's statement that no update runs on the machine that a lock names. */
  ownerIsGone: boolean;
}

/** What a killed update has left. */
interface Leftovers {
  state: State;
  target: Target;
  /** undefined where only Pulumi can read the backend's locks. */
  locks: readonly Lock[] | undefined;
  stale: readonly StaleRecord[];
}

/**
 * `anchorhold recover`: after an update that was killed. Frees the stack's lock when its owner is
 * proved to be gone, takes back what Helm and Pulumi have noted as half done, and names what is left
 * over. No key, pod or object of the stack changes; the next `pulumi up` does the rest.
 *
 * @returns false when something is left to do, because nobody agreed to it
 * @throws CannotRun while the lock's owner lives or may live, and on another cluster than the stack's
 */
export async function recover(
  options: RecoverOptions,
  print: (text: string) => void,
): Promise<boolean> {
  const { stack, ownerIsGone } = options;
  const found = await look(stack);
  const plan = [
    ...assertDead(found.locks ?? [], thisHost, ownerIsGone).map((why) => `lock of ${why}: free it`),
    ...found.stale.map(outcome),
    ...operations(found.state),
  ];
  const orphans = await findObjects(found.target.config, namespacesOf(found.state));
  nameOrphans(orphansAmong(orphans, found.state).map(removal), print);
  // Where the locks cannot be read, only the attempt tells.
  if (plan.length === 0 && found.locks !== undefined) {
    print("Nothing to do: no lock, no release and no operation is left half done.");
    return true;
  }
  for (const line of plan) print(`  ${line}`);
  if (!options.yes && !(await confirm("Repair this?"))) {
    print("Nothing was changed. To repair it: anchorhold recover --yes");
    return false;
  }
  await repair(options, found, print);
  print("Recovered. Go on with: pulumi up");
  return true;
}

async function look(stack: string | undefined): Promise<Leftovers> {
  const [state, target] = await Promise.all([exportState(stack), targetOf(stack)]);
  assertOwnCluster(state, target);
  const { lockFolder } = await findBackend(stack, state);
  return {
    state,
    target,
    locks: lockFolder === undefined ? undefined : readLocks(lockFolder),
    stale: await findStale(target.config, state),
  };
}

function operations({ deployment }: State): string[] {
  return deployment.pending_operations.map(
    ({ type, resource }) =>
      `${resource.urn}: was ${type}; the next update goes on from what is there`,
  );
}

function nameOrphans(commands: readonly string[], print: (text: string) => void): void {
  if (commands.length === 0) return;
  print(
    "The state does not know these objects; they hold copies of what it has. Look, and remove:",
  );
  for (const command of commands) print(`  ${command}`);
}

/** The lock first: while it stands, somebody might still write the state. */
async function repair(
  { stack, ownerIsGone }: RecoverOptions,
  { locks, stale, state, target }: Leftovers,
  print: (text: string) => void,
): Promise<void> {
  if (locks !== undefined && locks.length > 0) await free(stack, print);
  if (locks === undefined) await freeIfLocked(stack, ownerIsGone, print);
  if (state.deployment.pending_operations.length > 0) {
    // Importing drops what is pending. A refresh would ask the cluster about every resource first.
    const now = await exportState(stack);
    const made = await findMade(target.config, now);
    await importState(stack, withResources(now, made));
    for (const { urn } of made) print(`${urn} is in the cluster, and now in the state.`);
    print("The state's pending operations are cleared.");
  }
  for (const record of stale) {
    await removeRecord(target.config, record);
    print(`Record ${record.namespace}/${record.secret.name ?? ""} is removed.`);
  }
}

async function free(stack: string | undefined, print: (text: string) => void): Promise<void> {
  await askPulumi(["cancel", "--yes", ...stackFlag(stack)]);
  print("The stack is free.");
}

/** Importing a state into itself changes nothing, takes the lock, and so tells who holds it. */
async function freeIfLocked(
  stack: string | undefined,
  ownerIsGone: boolean,
  print: (text: string) => void,
): Promise<void> {
  const state = await exportState(stack);
  try {
    await importState(stack, state);
  } catch (error) {
    const { message } = error as Error;
    if (!/locked|in progress/.test(message)) throw error;
    const locks = locksInMessage(message);
    if (locks.length === 0 && !ownerIsGone)
      throw new CannotRun(`${message} If nobody else updates this stack: --owner-is-gone.`);
    for (const why of assertDead(locks, thisHost, ownerIsGone)) print(`  lock of ${why}`);
    await free(stack, print);
  }
}
