import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { StackOutputs } from "../../../../infra/outputs.ts";
import { probeIdentity } from "../identity.ts";
import { BundleFolder, type SignedBlob } from "./bundles.ts";
import { generationNames, type ClientName, type Operation } from "./operation.ts";
import { renderPhases, summarise, type LoadReport, type Span } from "./report.ts";
import type { WorkerMessage, WorkerTask } from "./worker.ts";

export interface LoadOptions {
  outputs: StackOutputs;
  /** The cosign program: the last signer and the last verifier use it, all others @sigstore/*. */
  cosign: string;
  /** 4 if left out. */
  signers?: number;
  /** 2 if left out. */
  verifiers?: number;
  /** Bundles from before, which the verifiers check again and again. */
  oldBundles?: readonly SignedBlob[];
  /**
   * Rest of a verifier after each verification, in ms; 100 if left out. Signers never rest. Without
   * it verifiers alone would take a third of a machine with two processors.
   */
  verifierPause?: number;
  /** The load ends by itself after so many operations (200 000 if left out): `ended` says so. */
  maxOperations?: number;
  /** The file that gets a JSON line for each operation and mark; one that exists is replaced. */
  log: string;
}

/** To the first operation of every worker, and from the word to stop to the last one's end; ms. */
const startLimit = 60_000;
const stopLimit = 70_000;

interface Member {
  name: string;
  thread: Worker;
  running: Promise<void>;
  ended: Promise<void>;
}

/**
 * Signers that sign without a pause and verifiers, each in a thread of its own and with a TUF cache
 * of its own, by discovery alone.
 */
export class Load {
  /** Workers that ended although nobody stopped them, and why; empty when all is well. */
  readonly ended: string[] = [];
  /** Names the generations in reports: set it anew when a generation has been made. */
  outputs: StackOutputs;
  private readonly folder: string;
  private readonly log: string;
  private readonly marks: { name: string; at: number }[] = [];
  private members: Member[] = [];
  private endedAt: number | undefined;

  private constructor({ outputs, log }: LoadOptions, folder: string) {
    this.outputs = outputs;
    this.folder = folder;
    this.log = log;
    writeFileSync(log, "");
  }

  /** Starts the workers; when it returns, each has ended its first operation. */
  static async start(options: LoadOptions): Promise<Load> {
    const load = new Load(options, await mkdtemp(join(tmpdir(), "anchorhold-load-")));
    const old = new BundleFolder(load.path("old"));
    (options.oldBundles ?? []).forEach((bundle, index) => old.put(`old-${index}`, 1, bundle));
    try {
      load.members = (await load.tasks(options)).map((task) => load.enlist(task));
      await withLimit(Promise.all(load.members.map(({ running }) => running)), startLimit);
      load.mark("start");
      return load;
    } catch (error) {
      await load.stop();
      throw new Error(`the load does not start: ${load.ended.join("; ")}`, { cause: error });
    }
  }

  /** A phase begins: it lasts until the next mark. */
  mark(name: string): void {
    const mark = { name, at: Date.now() };
    this.marks.push(mark);
    appendFileSync(this.log, `${JSON.stringify({ mark: mark.name, at: mark.at })}\n`);
  }

  /** All operations that have ended so far. */
  operations(): Operation[] {
    const lines = readFileSync(this.log, "utf8").split("\n").slice(0, -1);
    return lines
      .map((line) => JSON.parse(line) as Operation | { mark: string })
      .filter((line): line is Operation => !("mark" in line));
  }

  /** What happened in a span; from the start until now (or the end) if left out. */
  report(span: Partial<Span> = {}): LoadReport {
    const whole = { from: this.marks[0]?.at ?? this.now(), to: this.now() };
    return summarise(
      this.operations(),
      { ...whole, ...span },
      generationNames(this.outputs.records),
    );
  }

  /** What happened from a mark to the next one; the last mark of that name counts. */
  phase(name: string): LoadReport {
    const index = this.marks.findLastIndex((mark) => mark.name === name);
    const mark = this.marks[index];
    if (mark === undefined) throw new Error(`no phase ${name}: there is no such mark`);
    return this.report({ from: mark.at, to: this.marks[index + 1]?.at ?? this.now() });
  }

  /** Every phase as a line of a Markdown table. */
  table(): string {
    return renderPhases(this.marks.map(({ name }) => ({ name, ...this.phase(name) })));
  }

  /**
   * Ends every worker after the operation that it is in, by force after 70 s. The log stays.
   * Calling it again does nothing.
   */
  async stop(): Promise<void> {
    if (this.endedAt !== undefined) return;
    for (const { thread } of this.members) thread.postMessage("stop");
    await withLimit(Promise.all(this.members.map(({ ended }) => ended)), stopLimit).catch(
      async () => void (await Promise.all(this.members.map(({ thread }) => thread.terminate()))),
    );
    this.endedAt = Date.now();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Time stands still for reports once the load has ended. */
  private now(): number {
    return this.endedAt ?? Date.now();
  }

  private path(name: string): string {
    return join(this.folder, name);
  }

  private async tasks(options: LoadOptions): Promise<WorkerTask[]> {
    const { outputs, cosign, signers = 4, verifiers = 2 } = options;
    const { maxOperations = 200_000, verifierPause = 100 } = options;
    const base = {
      outputs,
      cosign,
      identity: await probeIdentity(outputs),
      log: this.log,
      recent: this.path("recent"),
      old: this.path("old"),
      maxOperations: Math.ceil(maxOperations / (signers + verifiers)),
    };
    const clientOf = (index: number, of: number): ClientName =>
      index === of - 1 ? "cosign" : "sigstore-js";
    const team = (kind: "sign" | "verify", name: string, size: number) =>
      Array.from({ length: size }, (_, index) => ({
        ...base,
        kind,
        pause: kind === "verify" ? verifierPause : 0,
        name: `${name}-${index + 1}`,
        client: clientOf(index, size),
      }));
    return [...team("sign", "signer", signers), ...team("verify", "verifier", verifiers)];
  }

  private enlist(task: WorkerTask): Member {
    const { name } = task;
    const thread = new Worker(new URL("./worker.ts", import.meta.url), {
      workerData: task,
      // The homes of its clients lie in the load's folder and go with it, whatever happens.
      env: { ...process.env, TMPDIR: this.folder },
    });
    const running = new Promise<void>((resolve, reject) => {
      thread.on("message", (message: WorkerMessage) => {
        if (message === "running") resolve();
        else this.ended.push(`${name}: it has done its ${task.maxOperations} operations`);
      });
      thread.on("error", (error) => {
        this.ended.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        reject(new Error(`${name} failed`, { cause: error }));
      });
    });
    const ended = new Promise<void>((resolve) => thread.on("exit", () => resolve()));
    return { name, thread, running, ended };
  }
}

/** @throws {Error} when the work takes longer */
async function withLimit<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
