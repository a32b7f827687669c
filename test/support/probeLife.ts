import { Board } from "../../infra/platform/prober/program/metrics.ts";
import type { Outcome } from "../../infra/platform/prober/program/outcome.ts";
import { post } from "../../infra/platform/prober/program/round.ts";
import { Recording } from "./recording.ts";

/** Seconds between two rounds, and between two fetches of the metrics. */
export const pace = { round: 60, fetch: 15 };

export const stack = "sigstore";

export const checks = ["tuf", "fulcio", "tsa", "ctlog-1", "rekor-1", "sign", "verify", "search"];

const day = 86_400;

/** What the probe finds when all is well, by the metric and its labels. */
function healthy(board: Board, now: number): void {
  board.set("anchorhold_probe_interval_seconds", pace.round);
  board.set("anchorhold_tuf_timestamp_life_seconds", 7 * day);
  for (const log of ["ctlog-1", "rekor-1"]) {
    board.set("anchorhold_log_entries", Math.floor(now) % 1000, { log });
    board.set("anchorhold_log_consistent", 1, { log });
  }
  for (const role of ["root", "targets", "snapshot"]) expires(board, role, now + 3000 * day);
  expires(board, "timestamp", now + 6.5 * day);
  for (const service of ["fulcio", "tsa"])
    board.set("anchorhold_certificate_expiry_timestamp_seconds", now + 3000 * day, { service });
  board.set("anchorhold_clock_skew_seconds", 0);
}

function expires(board: Board, role: string, at: number): void {
  board.set("anchorhold_tuf_version", 1, { role });
  board.set("anchorhold_tuf_expiry_timestamp_seconds", at, { role });
}

/** What is wrong from some round on. */
export interface Trouble {
  /** Checks that fail. */
  failing?: readonly string[];
  /** Checks that cannot be made. */
  skipped?: readonly string[];
  /** What else is seen. */
  see?: (board: Board, now: number) => void;
  /** Whether there is no probe at all. */
  silent?: boolean;
  /** Whether its rounds do not end any more. */
  stuck?: boolean;
}

function outcomes({ failing = [], skipped = [] }: Trouble): Outcome[] {
  const result = (check: string): Outcome["result"] => {
    if (failing.includes(check)) return "failed";
    return skipped.includes(check) ? "skipped" : "passed";
  };
  return [...checks, "memory"].map((check) => ({ check, result: result(check), seconds: 0.1 }));
}

/**
 * What Prometheus fetches of a probe: three good rounds, then some with trouble, by the probe's own
 * board.
 */
export function lifeWith(trouble: Trouble, start: Date, rounds: number): Recording {
  const recording = new Recording();
  const board = new Board({ stack });
  const good = 3;
  for (let round = 0; round < good + rounds; round += 1) {
    const now = start.getTime() / 1000 + round * pace.round;
    const bad = round >= good;
    if (!bad || trouble.stuck !== true) {
      healthy(board, now);
      if (bad) trouble.see?.(board, now);
      post(board, outcomes(bad ? trouble : {}), new Date(now * 1000));
    }
    const page = bad && trouble.silent === true ? undefined : board.render();
    for (let fetched = 0; fetched < pace.round / pace.fetch; fetched += 1) recording.add(page);
  }
  return recording;
}

/** When the given round with trouble (from 1) has been fetched, in seconds since the start. */
export const afterRound = (bad: number): number => (3 + bad - 1) * pace.round + pace.fetch;
