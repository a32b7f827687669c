import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import * as z from "zod";

/** A lock as Pulumi's self-managed backends write it (pkg/backend/diy/lock.go). */
export const lockSchema = z.object({
  pid: z.int().positive(),
  username: z.string(),
  hostname: z.string(),
  timestamp: z.iso.datetime({ offset: true }),
});
export type Lock = z.infer<typeof lockSchema>;

/** A process of this machine, as far as it can be told. */
export interface LivingProcess {
  /** Milliseconds since 1970; undefined where the system does not tell. */
  started?: number;
  /** The command line. */
  command?: string;
}

/** What this machine knows of a lock's owner. */
export interface Host {
  hostname: string;
  /** The process with this id, or undefined when there is none. */
  process(pid: number): LivingProcess | undefined;
}

export type Verdict = { owner: "dead" | "alive" | "elsewhere"; why: string };

/** Clocks are read in whole seconds and ticks; a process takes its lock well after it has begun. */
const slack = 2_000;

/** Whether a lock's owner is proved to be gone. */
export function judgeOwner(lock: Lock, host: Host): Verdict {
  const who = `${lock.username}@${lock.hostname}, process ${lock.pid}, since ${lock.timestamp}`;
  if (lock.hostname !== host.hostname)
    return { owner: "elsewhere", why: `${who}: this is ${host.hostname}, which cannot look there` };
  const found = host.process(lock.pid);
  if (found === undefined) return { owner: "dead", why: `${who}: that process has ended` };
  const { started, command } = found;
  if (started !== undefined && started > Date.parse(lock.timestamp) + slack)
    return { owner: "dead", why: `${who}: that process has ended, its number was given out again` };
  if (command !== undefined && !command.includes("pulumi"))
    return {
      owner: "dead",
      why: `${who}: that process has ended, its number is another program's`,
    };
  return { owner: "alive", why: `${who}: that process still runs` };
}

/** This machine. Start time and command line are known where there is a /proc (Linux). */
export const thisHost: Host = {
  hostname: hostname(),
  process: (pid) =>
    exists(pid) && !hasEnded(pid) ? { ...startOf(pid), ...commandOf(pid) } : undefined,
};

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM"; // another user's
  }
}

/** A zombie: it has ended, and nobody has asked yet how. */
const hasEnded = (pid: number): boolean => /\) Z /.test(read(`/proc/${pid}/stat`) ?? "");

/** proc_pid_stat(5), field 22, in ticks of 10 ms since boot; proc_stat(5), btime. */
function startOf(pid: number): Pick<LivingProcess, "started"> {
  const stat = read(`/proc/${pid}/stat`);
  const boot = /^btime (\d+)$/m.exec(read("/proc/stat") ?? "")?.[1];
  const ticks = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  if (boot === undefined || ticks === undefined) return {};
  return { started: Number(boot) * 1000 + Number(ticks) * 10 };
}

function commandOf(pid: number): Pick<LivingProcess, "command"> {
  const line = read(`/proc/${pid}/cmdline`);
  return line === undefined ? {} : { command: line.replaceAll("\0", " ").trim() };
}

function read(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
