import type { Generation } from "./generations.ts";
import type { KindMemory } from "./memory.ts";

/** What the rules of a life look at; times in milliseconds. */
export interface LifeContext {
  memory: KindMemory;
  now: Date;
  /** Between being seen published everywhere and the first use, and between last use and closing. */
  leadTime: number;
  /** The generation that the configuration makes active. */
  active: number;
}

/** The generation that the producer uses; none before the first update is through. */
export function inUse({ switches }: KindMemory): number | undefined {
  return switches.at(-1)?.generation;
}

/** When the producer turned away from a generation for the last time; none while it is in use. */
export function usedUntil({ switches }: KindMemory, generation: number): string | undefined {
  const last = switches.findLastIndex((entry) => entry.generation === generation);
  return last < 0 ? undefined : switches[last + 1]?.at;
}

/**
 * Why a generation may not be what the configuration says, given what was recorded of it: steps
 * back, use before publication, closing before the last use is over. No reason means it may.
 */
export function lifeRefusals(
  number: number,
  generation: Generation,
  context: LifeContext,
): string[] {
  const back = stepBack(number, generation, context.memory);
  if (back !== undefined) return [back];
  const reason = rules[generation.state](number, context, generation);
  return reason === undefined ? [] : [reason];
}

type Rule = (number: number, context: LifeContext, generation: Generation) => string | undefined;

const rules: Readonly<Record<Generation["state"], Rule>> = {
  announced: () => undefined,
  active: whyNotActive,
  draining: whyNotDraining,
  closed: whyNotClosed,
  retired: whyNotRetired,
  distrusted: whyNotDistrusted,
};

/** What was closed, retired or distrusted once stays so: its key may be gone, its window has ended. */
function stepBack(
  number: number,
  generation: Generation,
  { closed, retired, distrusted }: KindMemory,
): string | undefined {
  const stolen = distrusted[number];
  if (stolen !== undefined) {
    const same = generation.state === "distrusted" && at(generation.from) === at(stolen.from);
    return same ? undefined : stays(number, `{distrusted: "${stolen.from}"}`);
  }
  if (generation.state === "distrusted") return undefined;
  if (retired[number] !== undefined && generation.state !== "retired")
    return stays(number, "retired");
  if (closed[number] !== undefined && !["closed", "retired"].includes(generation.state))
    return `${stays(number, "closed")}; a new number makes a new generation`;
  return undefined;
}

function stays(number: number, state: string): string {
  return `generation ${number} is recorded as ${state} and cannot step back; write ${state} back`;
}

function whyNotActive(number: number, { memory, now, leadTime }: LifeContext): string | undefined {
  const used = inUse(memory);
  if (used === undefined || used === number) return undefined;
  // Going back: it was trusted all the time.
  if (memory.switches.some(({ generation }) => generation === number)) return undefined;
  const stay = `keep ${used} active and ${number} announced`;
  if (memory.records[number] === undefined)
    return (
      `generation ${number} cannot be active before it was announced: ${stay}, ` +
      "run pulumi up, and activate it after the lead time"
    );
  const published = memory.published[number];
  if (published === undefined)
    return (
      `generation ${number} was not yet seen on every replica and in the served TUF repository: ` +
      `${stay}, and run pulumi up again`
    );
  const allowed = at(published.at) + leadTime;
  if (now.getTime() >= allowed) return undefined;
  return (
    `generation ${number} was seen published at ${published.at}; clients may need the lead time ` +
    `to learn of it, so it can be active from ${timeText(allowed)} on: ${stay} until then`
  );
}

function whyNotDraining(number: number, { memory }: LifeContext): string | undefined {
  if (memory.records[number] !== undefined) return undefined;
  return `generation ${number} was never made, so it cannot be draining: a new one is announced`;
}

function whyNotClosed(
  number: number,
  { memory, now, leadTime, active }: LifeContext,
): string | undefined {
  if (memory.records[number] === undefined)
    return `generation ${number} was never made, so it cannot be closed: a new one is announced`;
  if (memory.closed[number] !== undefined) return undefined;
  const used = inUse(memory);
  if (used === number || used !== active)
    return (
      `generation ${number} cannot be closed while the producer changes to another one: write ` +
      "draining, run pulumi up, and close it in a later update"
    );
  const until = usedUntil(memory, number);
  if (until === undefined) return undefined;
  const allowed = at(until) + leadTime;
  if (now.getTime() >= allowed) return undefined;
  return (
    `generation ${number} was in use until ${until} and may have to be used again; it can be ` +
    `closed from ${timeText(allowed)} on: write draining until then`
  );
}

function whyNotRetired(number: number, { memory }: LifeContext): string | undefined {
  if (memory.closed[number] !== undefined) return undefined;
  return (
    `generation ${number} is not recorded as closed, so its key may still be needed: write ` +
    "closed, run pulumi up, and retire it in a later update"
  );
}

function whyNotDistrusted(
  number: number,
  { memory, now }: LifeContext,
  generation: Generation,
): string | undefined {
  if (generation.state !== "distrusted") return undefined;
  const record = memory.records[number];
  if (record === undefined)
    return `generation ${number} was never made: there is nothing to distrust`;
  if (inUse(memory) === number)
    return (
      `generation ${number} is in use, so nothing could be signed after it is distrusted: ` +
      "activate another one first, run pulumi up, and distrust this one in the next update"
    );
  const from = at(generation.from);
  if (from <= now.getTime() && from >= at(record.start)) return undefined;
  return (
    `generation ${number} cannot be distrusted from ${generation.from} on: the time must lie ` +
    `between its start, ${record.start}, and now, ${timeText(now.getTime())}`
  );
}

const at = (time: string): number => Date.parse(time);

/** RFC 3339 with whole seconds, rounded up: a time that is told must not be too early. */
export function timeText(milliseconds: number): string {
  return `${new Date(Math.ceil(milliseconds / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
