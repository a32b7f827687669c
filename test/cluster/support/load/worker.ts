// A worker thread of the load: one signer or one verifier, again and again until it is told to stop. It keeps its own times and writes its own log, so the main thread's stalls do not count.
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { oneLine } from "../../../../cli/errors.ts";
import { BundleFolder, readSigned } from "./bundles.ts";
import { openClient, type ClientArgs, type LoadClient } from "./client.ts";
import { useFreshConnections } from "./freshConnections.ts";
import { makersOf, tufVersions, type Operation, type OperationKind } from "./operation.ts";

/** What one worker does; the main thread gives it as `workerData`. */
export interface WorkerTask extends ClientArgs {
  name: string;
  kind: OperationKind;
  /** Folders of bundles: those that the signers make, and those from before the load. */
  recent: string;
  old: string;
  /** The file that gets one JSON line for each operation. */
  log: string;
  maxOperations: number;
  /** Rest between two operations, in ms. */
  pause: number;
}

/** What a worker says to the main thread. */
export type WorkerMessage = "running" | "capped";

/** Longer than every limit of a client's own, for what has none; in ms. */
const operationLimit = 60_000;
const errorLength = 600;

/** A refused connection takes no time at all: without a rest failures would flood the log; in ms. */
const pauseAfterFailure = 100;

type Attempt = Partial<Operation> | undefined;

async function main(task: WorkerTask, port: NonNullable<typeof parentPort>): Promise<void> {
  let stopping = false;
  port.once("message", () => (stopping = true));
  useFreshConnections();
  const client = await openClient(task);
  const attempt = task.kind === "sign" ? signing(task, client) : verifying(task, client);
  try {
    for (let count = 0; !stopping;) {
      if (count === task.maxOperations) {
        port.postMessage("capped" satisfies WorkerMessage);
        return;
      }
      const operation = await measure(task, client, attempt);
      if (operation === undefined) continue;
      appendFileSync(task.log, `${JSON.stringify(operation)}\n`);
      if (count === 0) port.postMessage("running" satisfies WorkerMessage);
      count += 1;
      await sleep(operation.ok ? task.pause : Math.max(task.pause, pauseAfterFailure));
    }
  } finally {
    await client.dispose();
    port.close();
  }
}

/** Runs one attempt; undefined when there was nothing to do. */
async function measure(
  { name, client, kind }: WorkerTask,
  { cache }: LoadClient,
  attempt: (about: Attempt & object) => Promise<Attempt>,
): Promise<Operation | undefined> {
  const start = Date.now();
  const about = {};
  const base = { worker: name, client, kind, start };
  const tuf = () => {
    const versions = tufVersions(cache);
    return versions === undefined ? {} : { tuf: versions };
  };
  try {
    const facts = await limited(attempt(about));
    return facts && { ...base, ...about, ...facts, end: Date.now(), ok: true, ...tuf() };
  } catch (error) {
    const text = oneLine(error).slice(0, errorLength);
    return { ...base, ...about, end: Date.now(), ok: false, error: text, ...tuf() };
  }
}

async function limited<T>(work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const limit = sleep(operationLimit, undefined, { signal: over.signal }).then(() => {
    throw new Error(`no end within ${operationLimit / 1000} s`);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    over.abort();
    limit.catch(() => undefined);
  }
}

function signing({ name, recent }: WorkerTask, client: LoadClient) {
  const folder = new BundleFolder(recent);
  let number = 0;
  return async (): Promise<Attempt> => {
    const blob = randomBytes(64);
    const bundle = await client.sign(blob);
    folder.put(name, (number += 1), { blob, bundle });
    return makersOf(bundle);
  };
}

/** Recent and old bundles in turn. */
function verifying({ recent, old }: WorkerTask, client: LoadClient) {
  const folders = { recent: new BundleFolder(recent), old: new BundleFolder(old) };
  let turn = 0;
  return async (about: Attempt & object): Promise<Attempt> => {
    const wanted = (turn += 1) % 2 === 0 ? "old" : "recent";
    const files = folders[wanted].pick(wanted === "old" ? "all" : "recent");
    if (files === undefined) {
      await sleep(20);
      return undefined;
    }
    Object.assign(about, { bundle: wanted, ...makersOf(readSigned(files).bundle) });
    await client.verify(files);
    return {};
  };
}

if (parentPort === null) throw new Error("this file is a worker thread of the load");
await main(workerData as WorkerTask, parentPort);
