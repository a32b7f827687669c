// A lock file with its owner's process id, so that a dead owner is noticed.
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const pollMilliseconds = 500;
let serial = 0;

/** A name that no other process and no other call in this one uses. */
const unique = (path: string): string => `${path}.${process.pid}-${(serial += 1)}`;

const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && "code" in error && codes.includes(String(error.code));

/**
 * When a process started, in clock ticks since boot (proc_pid_stat(5), field 22), so that a
 * process id that was given out again is not taken for the owner. Empty where there is no /proc.
 */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

/** Whether the process that wrote `owner` ("pid start-time") still runs. */
export async function ownerLives(owner: string): Promise<boolean> {
  const [pid = "", started = ""] = owner.trim().split(" ");
  if (!/^[1-9]\d*$/.test(pid) || !exists(Number(pid))) return false;
  return started === (await startTime(Number(pid)));
}

/** Links a complete file into place: a reader never sees a lock without its owner. */
async function tryTake(path: string): Promise<boolean> {
  const draft = unique(path);
  await writeFile(draft, `${process.pid} ${await startTime(process.pid)}\n`);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function removeDead(path: string): Promise<void> {
  const owner = await readFile(path, "utf8").catch(() => undefined);
  if (owner === undefined || (await ownerLives(owner))) return;
  // Renamed first: of several processes that notice the dead owner, one removes the lock.
  const grave = unique(path);
  await rename(path, grave).catch(() => undefined);
  await rm(grave, { force: true });
}

/**
 * Holds the lock file while `task` runs; waits for a living owner.
 * @param onWait called once, with the owner's process id, before waiting
 */
export async function withLock<T>(
  path: string,
  task: () => Promise<T>,
  onWait: (owner: string) => void,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  for (let waits = 0; !(await tryTake(path)); waits += 1) {
    if (waits === 1) {
      onWait((await readFile(path, "utf8").catch(() => "")).split(" ")[0] ?? "");
    }
    await removeDead(path);
    if (waits > 0) await sleep(pollMilliseconds);
  }
  try {
    return await task();
  } finally {
    await rm(path, { force: true });
  }
}
