import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { CannotRun, oneLine } from "../errors.ts";
import type { Tree, Trillian } from "./client.ts";

/** Which tree is meant: `description` is unique to one log of one stack, `name` is for people. */
export interface TreeIdentity {
  /** At most 20 characters: Trillian's MySQL column cuts off there, with an error. */
  name: string;
  description: string;
}

export interface Patience {
  /** How long to go on trying while the server does not answer or answers in the middle. */
  limitMs: number;
  pauseMs: number;
}

const transient = new Set<number>([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
  status.ABORTED,
  status.RESOURCE_EXHAUSTED,
  // Trillian passes its database's errors on as UNKNOWN or INTERNAL while MySQL starts.
  status.UNKNOWN,
  status.INTERNAL,
]);

/** True when the same call may succeed later: the server starts, restarts or waits for MySQL. */
export function isTransient(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "number" && transient.has(code);
}

/** Checks what the user gave, before anything is asked of the server. */
export function checkIdentity({ name, description }: TreeIdentity): void {
  if (name.length === 0 || name.length > 20) {
    throw new CannotRun(
      `--name "${name}" has ${name.length} characters; Trillian takes 1 to 20. Give a shorter name.`,
    );
  }
  if (description.length === 0 || description.length > 200) {
    throw new CannotRun(
      `--description has ${description.length} characters; Trillian takes 1 to 200.`,
    );
  }
}

/**
 * The one tree that carries this description, or undefined. A deleted tree does not count (the
 * server leaves it out). Two matches, or another name or type under the same description, are for
 * a person to look at: to guess would be to change a log's identity.
 */
export function findTree(trees: readonly Tree[], { name, description }: TreeIdentity) {
  const matches = trees.filter((tree) => tree.description === description);
  if (matches.length > 1) {
    const ids = matches.map((tree) => tree.treeId).join(", ");
    throw new CannotRun(
      `Trillian has ${matches.length} trees described "${description}" (${ids}). ` +
        "Find out which one the log uses, delete the other with Trillian's deletetree, then run again.",
    );
  }
  const [tree] = matches;
  if (tree === undefined) return undefined;
  if (tree.displayName !== name || tree.treeType !== "LOG") {
    throw new CannotRun(
      `Tree ${tree.treeId}, described "${description}", is a ${tree.treeType} tree named ` +
        `"${tree.displayName}", not a LOG tree named "${name}". Give the log another description.`,
    );
  }
  return tree;
}

/**
 * Finds the tree, or makes and initialises it; returns its id. CreateTree is not idempotent: a
 * reply that is lost leaves a tree behind. So every attempt starts by looking, and the result is
 * looked for once more after making, so that two makers at once are noticed.
 */
export async function ensureTree(
  trillian: Trillian,
  identity: TreeIdentity,
  patience: Patience,
): Promise<string> {
  const deadline = Date.now() + patience.limitMs;
  for (;;) {
    try {
      return await attempt(trillian, identity);
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (Date.now() + patience.pauseMs > deadline) {
        throw new CannotRun(
          `Trillian did not answer within ${Math.round(patience.limitMs / 1000)} s ` +
            `(${oneLine(error)}). See the log of the Trillian log server and of its MySQL, then run again.`,
          { cause: error },
        );
      }
      await sleep(patience.pauseMs);
    }
  }
}

async function attempt(trillian: Trillian, identity: TreeIdentity): Promise<string> {
  if (findTree(await trillian.listTrees(), identity) === undefined) {
    await trillian.createLogTree({
      displayName: identity.name,
      description: identity.description,
    });
  }
  const tree = findTree(await trillian.listTrees(), identity);
  if (tree === undefined) {
    throw new CannotRun(
      `Trillian made the tree "${identity.name}" but does not list it. ` +
        "Check that all log servers use the same database, then run again.",
    );
  }
  await initialise(trillian, tree.treeId);
  return tree.treeId;
}

async function initialise(trillian: Trillian, treeId: string): Promise<void> {
  try {
    await trillian.initLog(treeId);
  } catch (error) {
    if ((error as { code?: unknown }).code !== status.ALREADY_EXISTS) throw error;
  }
}
