import { at, textAt, type Props } from "../values.ts";
import { annotation, refOf, type Cluster, type Ref } from "./cluster.ts";
import { readiness } from "./readiness.ts";

const DEFAULT_TIMEOUT_SECONDS = 600;

/** Waiting ended without success; the object exists. */
export class WaitError extends Error {
  override readonly name = "WaitError";
  readonly reasons: readonly string[];
  readonly cancelled: boolean;

  constructor(message: string, reasons: readonly string[], cancelled = false) {
    super(message);
    this.reasons = reasons;
    this.cancelled = cancelled;
  }
}

export interface WaitOptions {
  cluster: Cluster;
  /** Seconds from the program's customTimeouts; 0 for none. */
  timeout: number;
  signal: AbortSignal;
  log: (text: string) => void;
}

/** Seconds to wait: the program's option, the object's annotation, or ten minutes. */
export function timeoutSeconds(option: number, inputs: Props): number {
  const annotated = Number(annotation(inputs, "pulumi.com/timeoutSeconds"));
  return option || (Number.isInteger(annotated) && annotated) || DEFAULT_TIMEOUT_SECONDS;
}

export function skipsWait(inputs: Props): boolean {
  return annotation(inputs, "pulumi.com/skipAwait") === "true";
}

/** Waits until a written object is ready and returns it as it is then. */
export async function untilReady(
  object: Props,
  inputs: Props,
  options: WaitOptions,
): Promise<Props> {
  if (skipsWait(inputs)) return object;
  const { cluster, signal, log } = options;
  const name = textAt(object, "metadata", "name");
  const started = Date.now();
  const deadline = started + timeoutSeconds(options.timeout, inputs) * 1000;
  let said = "";
  let live = object;
  for (;;) {
    const state = await readiness(live, cluster, Date.now() - started);
    if (state.ready) return live;
    if (state.failed) {
      throw new WaitError(`Resource '${name}' was created but failed to initialize`, state.reasons);
    }
    if (signal.aborted) {
      throw new WaitError(`Resource operation was cancelled for "${name}"`, state.reasons, true);
    }
    if (Date.now() >= deadline) {
      throw new WaitError(`'${name}' timed out waiting to be Ready`, state.reasons);
    }
    if (state.waitingFor !== undefined && state.waitingFor !== said) log(state.waitingFor);
    said = state.waitingFor ?? said;
    await cluster.pause(signal);
    live = (await cluster.get(refOf(object))) ?? live;
  }
}

/** Waits until an object is gone. */
export async function untilGone(ref: Ref, inputs: Props, options: WaitOptions): Promise<void> {
  const { cluster, signal, log } = options;
  const deadline = Date.now() + timeoutSeconds(options.timeout, inputs) * 1000;
  let said = "";
  for (let live = await cluster.get(ref); live !== undefined; live = await cluster.get(ref)) {
    if (signal.aborted) {
      throw new WaitError(`Resource operation was cancelled for "${ref.name}"`, [], true);
    }
    if (Date.now() >= deadline) {
      throw new WaitError(`timed out waiting for ${ref.kind} '${ref.name}' to be deleted`, []);
    }
    const remark = `Waiting for deletion${finalizersOf(live)}`;
    if (remark !== said) log(remark);
    said = remark;
    await cluster.pause(signal);
  }
}

function finalizersOf(object: Props): string {
  const finalizers = at(object, "metadata", "finalizers");
  return Array.isArray(finalizers) ? ` (finalizers: ${(finalizers as string[]).join(", ")})` : "";
}
