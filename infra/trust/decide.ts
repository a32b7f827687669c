import { reportAll } from "../errors.ts";
import type { Generation, Kind, TrustConfig } from "./generations.ts";
import { inOrder, kinds } from "./generations.ts";
import { inUse, lifeRefusals, timeText, usedUntil } from "./life.ts";
import type { KindMemory, Memory } from "./memory.ts";

/** Kinds whose generations can be replaced; the others have generation 1 alone. */
const rotating: readonly Kind[] = ["fulcioCa", "ctLog"];

/** What shall be true of one kind after the update; plain data, so that a preview shows it. */
export interface KindPlan {
  /** Generations that have a record: all that ever were. */
  exists: number[];
  /** Taken by the CT log (CAs) or for writing (logs): announced, active and draining ones. */
  accepts: number[];
  /** Served for reading alone: closed logs. */
  readOnly: number[];
  /** The one generation that issues or signs. */
  issues: number;
  /** Generations whose private key is destroyed. */
  keyless: number[];
  /** Ends of validity windows, RFC 3339; a generation without one is trusted for ever. */
  ends: Record<string, string>;
  /** What is written down of a generation, by its number. */
  closed: Record<string, { end: string }>;
  distrusted: Record<string, { from: string }>;
  retired: Record<string, { at: string }>;
}

export type Plan = Record<Kind, KindPlan>;

export interface DecideArgs {
  trust: TrustConfig;
  memory: Memory;
  /** The clock of the machine that runs the update. */
  now: Date;
  /** Milliseconds between published and used, and between last use and closing. */
  leadTime: number;
}

/**
 * Decides what the update may do, from the configuration and what earlier updates recorded.
 *
 * @throws UserError with every refusal at once; then nothing may be registered
 */
export function decide({ trust, memory, now, leadTime }: DecideArgs): Plan {
  const refusals = kinds.flatMap((kind) => {
    const known: KindMemory = memory.kinds[kind];
    return [
      ...forgotten(trust[kind], known),
      ...changedSource(trust[kind], known),
      ...clockBehind(known, now),
      ...inOrder(trust[kind]).flatMap((entry) =>
        rotating.includes(kind)
          ? lifeRefusals(entry.number, entry.generation, {
              memory: known,
              now,
              leadTime,
              active: activeOf(trust[kind]),
            })
          : notYet(entry),
      ),
      ...inOrder(trust[kind]).flatMap(sourceNotYet),
    ].map((problem) => `anchorhold:trust.${kind}: ${problem}`);
  });
  if (refusals.length > 0)
    throw reportAll("This update is refused; nothing was changed:", refusals);
  return Object.fromEntries(
    kinds.map((kind) => [kind, toPlan(kind, trust[kind], memory.kinds[kind], now)]),
  ) as Plan;
}

type Configured = TrustConfig[Kind];
type Entry = { number: number; generation: Generation };

function activeOf(configured: Configured): number {
  const active = inOrder(configured).find(({ generation }) => generation.state === "active");
  if (!active) throw new Error("no generation is active, which the configuration's schema refuses");
  return active.number;
}

function toPlan(kind: Kind, configured: Configured, memory: KindMemory, now: Date): KindPlan {
  const entries = inOrder(configured);
  const inState = (...states: Generation["state"][]) =>
    entries
      .filter(({ generation }) => states.includes(generation.state))
      .map(({ number }) => number);
  const distrusted = Object.fromEntries(
    entries.flatMap(({ number, generation }) =>
      generation.state === "distrusted" ? [[number, { from: generation.from }]] : [],
    ),
  );
  const closed = {
    ...memory.closed,
    ...Object.fromEntries(
      inState("closed")
        .filter((number) => memory.closed[number] === undefined)
        .map((number) => [number, { end: endOf(kind, number, memory, now) }]),
    ),
  };
  const retired = {
    ...memory.retired,
    ...Object.fromEntries(
      inState("retired")
        .filter((number) => memory.retired[number] === undefined)
        .map((number) => [number, { at: timeText(now.getTime()) }]),
    ),
  };
  return {
    exists: entries.map(({ number }) => number),
    accepts: inState("announced", "active", "draining"),
    readOnly: kind === "fulcioCa" ? [] : inState("closed"),
    issues: activeOf(configured),
    keyless: inState("retired", "distrusted"),
    ends: {
      ...Object.fromEntries(Object.entries(closed).map(([n, { end }]) => [n, end])),
      ...Object.fromEntries(Object.entries(distrusted).map(([n, { from }]) => [n, from])),
    },
    closed,
    distrusted,
    retired,
  };
}

/** A certificate of Fulcio's lives ten minutes; clocks and requests in flight get five more. */
const leafLife = 600_000;
const margin = 300_000;

/**
 * When the window of a generation that is closed now ends: after everything that was made with it.
 * A CA's last certificate may be used until it runs out; a log's last SCT is made at once.
 */
function endOf(kind: Kind, number: number, memory: KindMemory, now: Date): string {
  const until = usedUntil(memory, number);
  const lastUse = until === undefined ? now.getTime() : Date.parse(until);
  return timeText(lastUse + (kind === "fulcioCa" ? leafLife : 0) + margin);
}

/** Records forget nothing: what was trusted once keeps its line in the configuration. */
function forgotten(configured: Configured, { records }: KindMemory): string[] {
  return Object.keys(records)
    .filter((number) => !(number in configured))
    .map(
      (number) =>
        `generation ${number} is recorded in the stack's state but missing from the ` +
        `configuration: write its line back (what was trusted is never forgotten)`,
    );
}

function changedSource(configured: Configured, { records }: KindMemory): string[] {
  return Object.entries(records).flatMap(([number, record]) => {
    const source = configured[number]?.source;
    if (source === undefined || source === record.source) return [];
    return [
      `generation ${number} is recorded with source ${record.source}, the configuration says ` +
        `${source}: a generation keeps its source; write ${record.source} back`,
    ];
  });
}

/** A clock that is behind would date new windows before the old ones, and TUF metadata too. */
function clockBehind({ records, published, switches }: KindMemory, now: Date): string[] {
  const times: [string, string][] = [
    ...Object.entries(records).map(([n, { start }]): [string, string] => [n, start]),
    ...Object.entries(published).map(([n, { at }]): [string, string] => [n, at]),
    ...switches.map(({ generation, at }): [string, string] => [String(generation), at]),
  ];
  const [latest] = times.sort(([, a], [, b]) => Date.parse(b) - Date.parse(a));
  if (latest === undefined || Date.parse(latest[1]) <= now.getTime()) return [];
  return [
    `generation ${latest[0]} was recorded at ${latest[1]}, but this machine's clock says ` +
      `${now.toISOString()}: set the clock (for example with timedatectl) and run pulumi up again`,
  ];
}

/** What the configuration can say of a kind and this release cannot do. */
function notYet({ number, generation }: Entry): string[] {
  const reasons = [
    ...(number > 1 ? ["this release runs generation 1 alone; remove the line"] : []),
    ...(generation.state === "active"
      ? []
      : [`a generation cannot be ${generation.state}; write active`]),
  ];
  return reasons.map((reason) => `generation ${number}: not yet: ${reason}`);
}

function sourceNotYet({ number, generation }: Entry): string[] {
  return generation.source === "generated"
    ? []
    : [
        `generation ${number}: not yet: keys are not taken from source ${generation.source}; ` +
          "write generated",
      ];
}

/** Whether this update lets a kind's producer change to another generation. */
export function switches(plan: KindPlan, memory: KindMemory): boolean {
  return inUse(memory) !== plan.issues;
}

/** Whether the plan makes nothing new, so that all that will be published is known before. */
export function isRemembered(plan: Plan, memory: Memory): boolean {
  return kinds.every((kind) =>
    plan[kind].exists.every((number) => memory.kinds[kind].records[number] !== undefined),
  );
}
