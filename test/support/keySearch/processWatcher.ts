// Runs in a worker, so that a busy test does not keep it from looking.
import { readdirSync, readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/** What a process was started with, as the kernel tells it: parts that end in a zero byte each. */
export interface Started {
  pid: number;
  /** The program's short name. */
  name: string;
  commandLine: Uint8Array;
  environment: Uint8Array;
}

const pauseMs = 5;

const read = (pid: string, what: string): Buffer => readFileSync(`/proc/${pid}/${what}`);

/** Looks at every process; one that replaced its program is looked at again. */
function look(seen: Map<string, Started>): void {
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const commandLine = read(pid, "cmdline");
      const key = `${pid} ${commandLine.toString("latin1")}`;
      if (commandLine.length === 0 || seen.has(key)) continue;
      const environment = read(pid, "environ");
      const name = read(pid, "comm").toString().trim();
      seen.set(key, { pid: Number(pid), name, commandLine, environment });
    } catch {
      // It ended while it was looked at.
    }
  }
}

/** The first element turns to 1 when it is enough. */
const flag = new Int32Array((workerData as { stop: SharedArrayBuffer }).stop);
const seen = new Map<string, Started>();
look(seen);
parentPort?.postMessage("watching");
while (Atomics.wait(flag, 0, 0, pauseMs) === "timed-out") look(seen);
parentPort?.postMessage([...seen.values()]);
