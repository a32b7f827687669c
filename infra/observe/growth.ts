import type { KubeConfig } from "@kubernetes/client-node";
import { oneLine } from "./errors.ts";
import { withForward } from "./forward.ts";
import { hasGrown, logState, type LogState, type LogTarget } from "./logs.ts";
import { findReplicas, parseServicePort } from "./service.ts";

/** A log and how far it was when that was last written down. */
export interface RecordedLog extends LogTarget {
  name: string;
  recorded: LogState;
}

/** What became of a log since its last recorded checkpoint. */
export type Growth =
  | { name: string; result: "grown" }
  | { name: string; result: "forked"; seen: LogState; recorded: LogState }
  | { name: string; result: "unknown"; reason: string };

/**
 * Asks each log whether it only adds to what was recorded. A log that does not answer is unknown:
 * it may be what the update mends.
 */
export async function growthOf(
  config: KubeConfig,
  logs: readonly RecordedLog[],
): Promise<Growth[]> {
  return await Promise.all(
    logs.map((log) =>
      ask(config, log).catch((error: unknown): Growth => ({
        name: log.name,
        result: "unknown",
        reason: oneLine(error),
      })),
    ),
  );
}

async function ask(config: KubeConfig, log: RecordedLog): Promise<Growth> {
  const { name, recorded, ...target } = log;
  const replicas = await findReplicas(config, parseServicePort(log.service));
  const serving = replicas.find((replica) => replica.serving);
  if (serving === undefined) return { name, result: "unknown", reason: "no replica is ready" };
  return await withForward(config, serving, async (address): Promise<Growth> => {
    const base = `http://${address}`;
    const signal = AbortSignal.timeout(5_000);
    const seen = await logState(target, base, signal);
    const grown = await hasGrown(target, base, recorded, seen, signal);
    return grown ? { name, result: "grown" } : { name, result: "forked", seen, recorded };
  });
}
