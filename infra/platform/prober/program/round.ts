import { setTimeout as sleep } from "node:timers/promises";
import { oneLine } from "../../../observe/errors.ts";
import { checkFulcio, checkTsa } from "./authorities.ts";
import { checkLog } from "./logs.ts";
import type { Board } from "./metrics.ts";
import { Gone, Skipped, type Outcome } from "./outcome.ts";
import type { Scene } from "./scene.ts";
import { search, sign, verify, type Signed } from "./signing.ts";
import { checkTuf } from "./tuf.ts";

type Work = (signal: AbortSignal) => Promise<void> | void;

/** Milliseconds for one check; each of its requests has less. */
const limit = 30_000;

/** Makes one check. Whatever happens is an outcome; nothing is thrown. */
export async function attempt(check: string, work: Work, limitMs = limit): Promise<Outcome> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const cancel = new AbortController();
  const late = sleep(limitMs, undefined, { signal: cancel.signal, ref: false }).then(() => {
    throw new Error(`no answer within ${limitMs / 1000} s`);
  });
  late.catch(() => undefined);
  const signal = AbortSignal.any([cancel.signal, AbortSignal.timeout(limitMs)]);
  try {
    await Promise.race([Promise.resolve().then(() => work(signal)), late]);
    return { check, result: "passed", seconds: seconds() };
  } catch (error) {
    return { check, result: resultOf(error), seconds: seconds(), reason: oneLine(error) };
  } finally {
    cancel.abort();
  }
}

function resultOf(error: unknown): Outcome["result"] {
  if (error instanceof Skipped) return "skipped";
  return error instanceof Gone ? "gone" : "failed";
}

/** Signing, and what can be asked of a signature only when there is one. */
async function signing(scene: Scene): Promise<Outcome[]> {
  const { settings } = scene;
  let signed: Signed | undefined;
  const needsOne = () => {
    if (signed === undefined) throw new Skipped("nothing was signed");
    return signed;
  };
  const outcomes = [
    await attempt("sign", async () => {
      signed = await sign(settings, scene.token());
    }),
    await attempt("verify", () => {
      if (scene.trust === undefined) throw new Skipped("the mirror was never read");
      verify(needsOne(), scene.trust, settings.identity);
    }),
  ];
  if (!settings.search) return outcomes;
  const found = await attempt("search", (signal) =>
    search(settings.rekor, needsOne().artifact, signal),
  );
  return [...outcomes, found];
}

/** One round: the mirror first, since it says what to trust, then all else side by side. */
export async function round(scene: Scene): Promise<Outcome[]> {
  const { settings, memory } = scene;
  const loaded = await attempt("memory", () => memory.load());
  const mirror = await attempt("tuf", (signal) => checkTuf(scene, signal));
  const others = await Promise.all([
    attempt("fulcio", (signal) => checkFulcio(scene, signal)),
    attempt("tsa", (signal) => checkTsa(scene, signal)),
    ...settings.logs.map((log) => attempt(log.name, (signal) => checkLog(log, scene, signal))),
    signing(scene),
  ]);
  const saved = loaded.result === "passed" ? await attempt("memory", () => memory.save()) : loaded;
  const outcomes = [mirror, ...others.flat(), saved];
  post(scene.board, outcomes, new Date());
  return outcomes;
}

/** Puts a round's outcomes on the board. What was skipped stays as it was. */
export function post(board: Board, outcomes: readonly Outcome[], now: Date): void {
  for (const { check, result, seconds } of outcomes) {
    if (result === "skipped") continue;
    if (result === "gone") {
      for (const label of ["check", "log"]) board.drop(label, check);
      continue;
    }
    const labels = { check };
    const failed = board.get("anchorhold_probe_failed_rounds", labels) ?? 0;
    const passed = result === "passed";
    board.set("anchorhold_probe_success", passed ? 1 : 0, labels);
    board.set("anchorhold_probe_failed_rounds", passed ? 0 : failed + 1, labels);
    board.set("anchorhold_probe_duration_seconds", Number(seconds.toFixed(3)), labels);
    if (passed)
      board.set("anchorhold_probe_last_success_timestamp_seconds", now.getTime() / 1000, labels);
  }
  board.set("anchorhold_probe_rounds_total", (board.get("anchorhold_probe_rounds_total") ?? 0) + 1);
  board.set("anchorhold_probe_round_timestamp_seconds", now.getTime() / 1000);
}
