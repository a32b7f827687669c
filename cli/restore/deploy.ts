import { setTimeout as sleep } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { findDatabase } from "../backup/database.ts";
import type { Container } from "../backup/exec.ts";
import { CannotRun, oneLine } from "../errors.ts";
import { runPulumi, stackFlag } from "../pulumi.ts";
import { loadDump, type Mark } from "./load.ts";

export interface Load {
  config: KubeConfig;
  prefix: string;
  /** Opens the dump; each try reads it from its beginning. */
  dump: () => Promise<AsyncIterable<Buffer>>;
  marks: readonly Mark[];
}

type Print = (text: string) => void;

/** The connection may break, or the database restart. */
const tries = 3;

/**
 * Updates the stack and loads the dump as soon as the update has brought up the database. Meanwhile
 * nothing can be written: the trees are in the dump, none is made anew, and a log without its tree
 * answers every request with an error. A second update is for servers that gave up waiting.
 *
 * @throws CannotRun when the update fails or the dump is not of these logs
 */
export async function deployAndLoad(
  stack: string | undefined,
  load: Load,
  print: Print,
): Promise<void> {
  const [waiting, updating] = [new AbortController(), new AbortController()];
  const interrupt = (): void => updating.abort();
  process.once("SIGINT", interrupt);
  try {
    const loading = loadWhenThere(load, waiting.signal, print);
    // Without the dump the update would only wait for servers that cannot start.
    loading.catch(() => updating.abort());
    const updated = await update(stack, updating.signal);
    waiting.abort();
    const isLoaded = await loading;
    if (updated && isLoaded) return;
    const isHopeless = !isLoaded || updating.signal.aborted;
    if (isHopeless || !(await update(stack, updating.signal))) throw notUpdated();
  } finally {
    waiting.abort();
    process.off("SIGINT", interrupt);
  }
}

const notUpdated = (): CannotRun =>
  new CannotRun(
    "The update did not go through; what it said stands above. Mend that and run the same restore " +
      "again: it goes on from there.",
  );

async function update(stack: string | undefined, signal: AbortSignal): Promise<boolean> {
  const args = ["up", "--yes", "--skip-preview", "--suppress-outputs", ...stackFlag(stack)];
  return (await runPulumi(args, { stdio: "inherit", signal })).code === 0;
}

/** @returns false when there is no database at the signal's time */
async function loadWhenThere(load: Load, signal: AbortSignal, print: Print): Promise<boolean> {
  for (let left = tries - 1; ; left -= 1) {
    const database = await waitForDatabase(load, signal);
    if (database === undefined) return false;
    try {
      await loadInto(database, load, print);
      return true;
    } catch (error) {
      if (error instanceof CannotRun) throw error;
      if (left === 0) throw new CannotRun(`The dump could not be loaded (${oneLine(error)}).`);
      print(`The dump is not loaded yet (${oneLine(error)}); trying again.`);
      await sleep(2000);
    }
  }
}

async function waitForDatabase(
  { config, prefix }: Load,
  signal: AbortSignal,
): Promise<Container | undefined> {
  for (;;) {
    // Before the update has come so far there is no such Service.
    const found = await findDatabase(config, prefix).catch(() => undefined);
    if (found !== undefined || signal.aborted) return found;
    await sleep(1000, undefined, { signal }).catch(() => undefined);
  }
}

async function loadInto(
  database: Container,
  { config, dump, marks }: Load,
  print: Print,
): Promise<void> {
  const started = performance.now();
  const isNew = await loadDump(config, database, await dump(), marks);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  print(isNew ? `The dump is loaded (${seconds} s).` : "The database has these logs already.");
}
