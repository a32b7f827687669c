import { reportAll } from "../errors.ts";
import type { Records } from "../outputs.ts";
import { inOrder, kinds } from "./generations.ts";
import type { Generation, Kind, Source, TrustConfig } from "./generations.ts";

/** What shall be true of one kind after the update; plain data, so that a preview shows it. */
export interface KindPlan {
  /** Generations that have a key and a record. */
  exists: number[];
  /** Generations that clients, and the CT log where it concerns it, accept. */
  accepts: number[];
  /** The one generation that issues or signs. */
  issues: number;
}

export type Plan = Record<Kind, KindPlan>;

/**
 * Decides what the update may do, from the configuration and what earlier updates recorded.
 *
 * @param records the remembered records; empty or partly there until the first update is through
 * @param now the clock of the machine that runs the update
 * @throws UserError with every refusal at once; then nothing may be registered
 */
export function decide(trust: TrustConfig, records: Partial<Records>, now: Date): Plan {
  const refusals = kinds.flatMap((kind) =>
    [
      ...forgotten(trust[kind], records[kind]),
      ...changedSource(trust[kind], records[kind]),
      ...clockBehind(records[kind], now),
      ...notYet(trust[kind]),
    ].map((problem) => `anchorhold:trust.${kind}: ${problem}`),
  );
  if (refusals.length > 0)
    throw reportAll("This update is refused; nothing was changed:", refusals);
  return Object.fromEntries(kinds.map((kind) => [kind, toPlan(trust[kind])])) as Plan;
}

type Configured = TrustConfig[Kind];
type Recorded = Record<string, { source: Source; start: string }> | undefined;

function toPlan(configured: Configured): KindPlan {
  const generations = inOrder(configured);
  const numbers = generations.map(({ number }) => number);
  const active = generations.find(({ generation }) => generation.state === "active");
  if (!active) throw new Error("no generation is active, which the configuration's schema refuses");
  return { exists: numbers, accepts: numbers, issues: active.number };
}

/** Records forget nothing: what was trusted once keeps its line in the configuration. */
function forgotten(configured: Configured, recorded: Recorded): string[] {
  return Object.keys(recorded ?? {})
    .filter((number) => !(number in configured))
    .map(
      (number) =>
        `generation ${number} is recorded in the stack's state but missing from the ` +
        `configuration: write its line back (what was trusted is never forgotten)`,
    );
}

function changedSource(configured: Configured, recorded: Recorded): string[] {
  return Object.entries(recorded ?? {}).flatMap(([number, record]) => {
    const source = configured[number]?.source;
    if (source === undefined || source === record.source) return [];
    return [
      `generation ${number} is recorded with source ${record.source}, the configuration says ` +
        `${source}: a generation keeps its source; write ${record.source} back`,
    ];
  });
}

/** A clock that is behind would date new windows before the old ones, and TUF metadata too. */
function clockBehind(recorded: Recorded, now: Date): string[] {
  return Object.entries(recorded ?? {}).flatMap(([number, { start }]) => {
    if (Date.parse(start) <= now.getTime()) return [];
    return [
      `generation ${number} was recorded at ${start}, but this machine's clock says ` +
        `${now.toISOString()}: set the clock (for example with timedatectl) and run pulumi up again`,
    ];
  });
}

/** What the configuration can say and this release cannot do. */
function notYet(configured: Configured): string[] {
  return inOrder(configured).flatMap(({ number, generation }) => {
    const reasons = [
      ...(number > 1 ? ["this release runs generation 1 alone; remove the line"] : []),
      ...stateNotYet(generation),
      ...(generation.source === "generated"
        ? []
        : [`keys are not taken from source ${generation.source}; write generated`]),
    ];
    return reasons.map((reason) => `generation ${number}: not yet: ${reason}`);
  });
}

function stateNotYet({ state }: Generation): string[] {
  return state === "active" ? [] : [`a generation cannot be ${state}; write active`];
}
