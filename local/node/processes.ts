import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LocalError } from "../errors.ts";
import { layout } from "./layout.ts";

/**
 * A process for certain: pids are used again, a pid together with its start time (field 22 of
 * /proc/<pid>/stat, clock ticks since boot) is not, and the boot id tells boots apart.
 */
export interface ProcessId {
  pid: number;
  start: string;
  boot: string;
}

/** A process that the node started, as kept in `<run>/<name>.pid.json`. */
export interface ProcessRecord extends ProcessId {
  name: string;
  /** Program and arguments, to notice that they would be others now. */
  command?: string;
}

export interface ProcessSpec {
  name: string;
  program: string;
  args: string[];
}

/**
 * State letter and start time from the text of /proc/<pid>/stat (proc(5)). The second field, the
 * name in parentheses, may itself hold spaces and parentheses: fields are counted from the last ")".
 */
export function parseStat(stat: string): { state: string; start: string } {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", start: fields[19] ?? "" };
}

export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** The identity of a living process; undefined if it is gone or a zombie. */
export function identify(pid: number): ProcessId | undefined {
  try {
    const { state, start } = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return state === "Z" || state === "X" ? undefined : { pid, start, boot: bootId() };
  } catch {
    return undefined;
  }
}

/** Whether exactly this process still runs. */
export function isAlive(id: ProcessId): boolean {
  const now = identify(id.pid);
  return now !== undefined && now.start === id.start && now.boot === id.boot;
}

const recordPath = (name: string): string => join(layout.run, `${name}.pid.json`);

export const logPath = (name: string): string => join(layout.run, `${name}.log`);

/** The record of a process that still runs. */
export function livingRecord(name: string): ProcessRecord | undefined {
  const path = recordPath(name);
  if (!existsSync(path)) return undefined;
  try {
    const record = JSON.parse(readFileSync(path, "utf8")) as ProcessRecord;
    return isAlive(record) ? record : undefined;
  } catch {
    return undefined; // cut off while being written: the process is found by its port, if at all
  }
}

/** All processes that the node started and that still run. */
export function livingRecords(): ProcessRecord[] {
  if (!existsSync(layout.run)) return [];
  return readdirSync(layout.run)
    .filter((file) => file.endsWith(".pid.json"))
    .flatMap((file) => livingRecord(file.slice(0, -".pid.json".length)) ?? []);
}

const commandOf = (spec: ProcessSpec): string => [spec.program, ...spec.args].join(" ");

/** Whether the process runs, and with this program and these arguments. */
export function runsAs(spec: ProcessSpec): boolean {
  return livingRecord(spec.name)?.command === commandOf(spec);
}

/** Starts a process that outlives this one, unless its record says that it runs. */
export function ensureProcess(spec: ProcessSpec): void {
  if (livingRecord(spec.name)) return;
  mkdirSync(layout.run, { recursive: true, mode: 0o700 });
  const log = openSync(logPath(spec.name), "w", 0o600);
  // A session of its own: Ctrl-C in the terminal must reach the command, not the node.
  const child = spawn(spec.program, spec.args, { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  child.on("error", () => undefined); // reported by the pid that is missing, just below
  const id = child.pid === undefined ? undefined : identify(child.pid);
  if (!id) throw new LocalError(`${spec.name} could not be started: ${spec.program}`);
  const record: ProcessRecord = { name: spec.name, ...id, command: commandOf(spec) };
  writeFileSync(recordPath(spec.name), JSON.stringify(record));
  child.unref();
}

/** The last lines of a component's log, for error messages. */
export function logTail(name: string, lines = 12): string {
  try {
    return readFileSync(logPath(name), "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "(no log)";
  }
}

/** Ends processes: TERM, then KILL for those that are left after `graceMs` milliseconds. */
export async function endProcesses(ids: readonly ProcessId[], graceMs: number): Promise<void> {
  for (const [signal, limit] of [
    ["SIGTERM", graceMs],
    ["SIGKILL", 5_000],
  ] as const) {
    for (const id of ids.filter(isAlive)) signalProcess(id.pid, signal);
    const end = Date.now() + limit;
    while (ids.some(isAlive) && Date.now() < end) await sleep(50);
  }
}

export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone meanwhile
  }
}

/** Ends the named processes of the node and forgets their records. */
export async function endRecorded(names: readonly string[], graceMs: number): Promise<void> {
  await endProcesses(
    names.flatMap((name) => livingRecord(name) ?? []),
    graceMs,
  );
  for (const name of names) rmSync(recordPath(name), { force: true });
}

/**
 * Runs `action` while no other start or stop of the node is under way.
 * @throws LocalError naming the process that has the lock.
 */
export async function withNodeLock<T>(action: () => Promise<T>): Promise<T> {
  const holder = livingRecord("lock");
  if (holder) {
    throw new LocalError(
      `Another start or stop of the local node is under way (pid ${holder.pid}). ` +
        "Wait until it has ended, then repeat.",
    );
  }
  mkdirSync(layout.run, { recursive: true, mode: 0o700 });
  const own = { name: "lock", ...identify(process.pid) };
  rmSync(recordPath("lock"), { force: true });
  writeFileSync(recordPath("lock"), JSON.stringify(own), { flag: "wx" });
  try {
    return await action();
  } finally {
    rmSync(recordPath("lock"), { force: true });
  }
}
