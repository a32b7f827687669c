// Finished builds by version. A build appears under its final name complete or not at all.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { LocalError } from "../errors.ts";
import type { Report } from "../report.ts";
import { explainFailure } from "./explain.ts";
import { withLock } from "./lock.ts";

/** A short hash of everything that goes into a build; part of its folder's name. */
export function keyOf(...parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

const draftMark = ".building-";

/** Removes what killed builds of the same thing have left; the lock says that none runs now. */
async function removeLeftovers(directory: string): Promise<void> {
  const prefix = basename(directory) + draftMark;
  for (const entry of await readdir(dirname(directory))) {
    if (!entry.startsWith(prefix)) continue;
    await rm(join(dirname(directory), entry), { recursive: true, force: true });
  }
}

function readable(what: string, error: unknown): Error {
  if (error instanceof LocalError || !(error instanceof Error)) return error as Error;
  if (!("code" in error)) return error;
  return new LocalError(`${what}: ${explainFailure(error.message)}`, { cause: error });
}

async function buildInto(
  directory: string,
  build: (draft: string) => Promise<void>,
): Promise<void> {
  await removeLeftovers(directory);
  const draft = directory + draftMark + String(process.pid);
  await mkdir(draft, { recursive: true });
  try {
    await build(draft);
    await rename(draft, directory);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * Makes sure that a folder is there, building it when it is not.
 *
 * The build writes to a draft beside it, which is renamed when it is complete; a killed build
 * leaves nothing that counts as done. Of two processes, one builds and the other waits.
 * @param what the thing's name in messages
 * @throws LocalError naming `what`, the cause and the remedy
 */
export async function ensureStored(
  directory: string,
  what: string,
  build: (draft: string) => Promise<void>,
  report: Report,
): Promise<string> {
  if (existsSync(directory)) return directory;
  const once = async (): Promise<void> => {
    if (!existsSync(directory)) await buildInto(directory, build);
  };
  try {
    await withLock(`${directory}.lock`, once, (owner) =>
      report(`${what}: waiting for process ${owner}, which is making it`),
    );
  } catch (error) {
    throw readable(what, error);
  }
  return directory;
}
