import { createPublicKey } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { TrustedRoot } from "@sigstore/protobuf-specs";
import { hasGrown, logState, type LogState } from "../../../observe/logs.ts";
import { Gone } from "./outcome.ts";
import type { Scene } from "./scene.ts";
import type { ProbedLog } from "./settings.ts";

/** Replicas may lag behind each other for a moment: how often, and after how long, to ask again. */
const lag = { tries: 3, milliseconds: 2_000 };

/**
 * The log's signed tree head (RFC 6962, section 4.3; Rekor's checkpoint), and that it continues the
 * one that was seen before (section 2.1.2). What was seen is kept until the log continues it again:
 * a log that was rolled back stays one, however far it grows anew.
 * @throws {Error} when the log does not answer, signs with another key, or forgot entries
 * @throws {Gone} when it does not answer and nobody may write to it any more
 */
export async function checkLog(
  log: ProbedLog,
  { board, memory, trust }: Pick<Scene, "board" | "memory" | "trust">,
  signal: AbortSignal,
  pause: number = lag.milliseconds,
): Promise<void> {
  const { name } = log;
  const before = memory.now.logs[name];
  const head = await newestHead(log, before, signal, pause).catch((error: unknown) => {
    if (isClosed(log, trust)) throw new Gone("it is closed and not served any more");
    throw error;
  });
  board.set("anchorhold_log_entries", head.size, { log: name });
  const grown = before === undefined || (await hasGrown(log, log.url, before, head, signal));
  board.set("anchorhold_log_consistent", grown ? 1 : 0, { log: name });
  if (!grown) throw new Error(`${describe(head)} does not continue ${describe(before)}`);
  memory.see({ log: name, head });
}

async function newestHead(
  log: ProbedLog,
  before: LogState | undefined,
  signal: AbortSignal,
  pause: number,
): Promise<LogState> {
  for (let tries = 1; ; tries += 1) {
    const head = await logState(log, log.url, signal);
    if (head.size >= (before?.size ?? 0) || tries === lag.tries) return head;
    await sleep(pause, undefined, { signal });
  }
}

const describe = ({ size, rootHash }: LogState): string =>
  `a tree of ${size} entries under root ${rootHash.slice(0, 12)}`;

/** Whether the published window of the log's key has an end, since when nothing is added to it. */
export function isClosed(log: ProbedLog, trust: TrustedRoot | undefined): boolean {
  const der = createPublicKey(log.publicKeyPem).export({ type: "spki", format: "der" });
  const published = [...(trust?.ctlogs ?? []), ...(trust?.tlogs ?? [])];
  const found = published.find(({ publicKey }) => publicKey?.rawBytes?.equals(der));
  return found?.publicKey?.validFor?.end !== undefined;
}
