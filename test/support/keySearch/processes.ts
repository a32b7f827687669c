import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Started } from "./processWatcher.ts";
import type { Place } from "./search.ts";

/**
 * Watches every process of this machine from now on: its command line and its environment. One that
 * lives for less than about ten milliseconds may be missed. It needs root to see what others run.
 */
export class ProcessWatch {
  private readonly flag = new Int32Array(new SharedArrayBuffer(4));
  private readonly worker = new Worker(new URL("./processWatcher.ts", import.meta.url), {
    workerData: { stop: this.flag.buffer },
  });

  static async start(): Promise<ProcessWatch> {
    const watch = new ProcessWatch();
    await once(watch.worker, "message");
    return watch;
  }

  /** Ends the watch and returns what was seen; a program that ran often is there often. */
  async stop(): Promise<Place[]> {
    const answered = once(this.worker, "message") as Promise<[Started[]]>;
    Atomics.store(this.flag, 0, 1);
    Atomics.notify(this.flag, 0);
    const [started] = await answered;
    return started.flatMap(({ pid, name, commandLine, environment }) => [
      { where: `command line of ${name} (${pid})`, bytes: Buffer.from(commandLine) },
      { where: `environment of ${name} (${pid})`, bytes: Buffer.from(environment) },
    ]);
  }
}
