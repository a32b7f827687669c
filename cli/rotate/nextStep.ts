import type { KindLife } from "../../infra/outputs.ts";
import { inState, unsettled, type Edit, type Standing, type Step } from "./standing.ts";

/**
 * The next edit in the life of a kind's generations, one a time: an older one is brought to its end
 * before a newer one is used or made. `decide` allows what it proposes, and refuses it any earlier.
 */
export function nextStep(standing: Standing): Step {
  return (
    unsettled(standing) ??
    closing(standing) ??
    retiring(standing) ??
    activating(standing) ??
    announcing(standing)
  );
}

/** One that was used may have to be used again for the lead time; one that never was need not. */
function closing(standing: Standing): Step | undefined {
  const [number] = inState(standing, "draining");
  if (number === undefined) return undefined;
  const what = `close ${number}: its window ends soon after its last use`;
  const until = lastUse(standing.life, number);
  return afterLeadTime(until, { what, edit: { [number]: "closed" } }, standing);
}

/** When the producer turned away from a generation for the last time. */
function lastUse({ switches }: KindLife, number: number): string | undefined {
  const last = switches.findLastIndex(({ generation }) => generation === number);
  return last < 0 ? undefined : switches[last + 1]?.at;
}

function retiring(standing: Standing): Step | undefined {
  const [number] = inState(standing, "closed");
  if (number === undefined) return undefined;
  const what = `retire ${number}: its private key is destroyed, what it made stays trusted`;
  return { do: "edit", what, edit: { [number]: "retired" } };
}

function activating(standing: Standing): Step | undefined {
  const [number] = inState(standing, "announced");
  if (number === undefined) return undefined;
  const { life } = standing;
  const wasUsed = life.switches.some(({ generation }) => generation === number);
  const published = life.published[number];
  if (!wasUsed && published === undefined)
    return { do: "finish", what: `finish announcing ${number}, which was not seen published yet` };
  const active = inState(standing, "active");
  const edit: Edit = {
    ...Object.fromEntries(active.map((old) => [old, "draining"] as const)),
    [number]: "active",
  };
  const what = `activate ${number}: it is used from now on, ${active.join()} stays trusted`;
  // One that was used before was trusted all the time.
  return afterLeadTime(wasUsed ? undefined : published?.at, { what, edit }, standing);
}

function announcing({ configured }: Standing): Step {
  const next = Object.keys(configured).length + 1;
  const what = `announce ${next}: a new key is made, accepted and published; nothing uses it yet`;
  return { do: "edit", what, edit: { [next]: "announced" } };
}

function afterLeadTime(
  since: string | undefined,
  step: { what: string; edit: Edit },
  { now, leadTime }: Standing,
): Step {
  const allowed = since === undefined ? 0 : Date.parse(since) + leadTime;
  return now.getTime() >= allowed
    ? { do: "edit", ...step }
    : { do: "wait", ...step, until: new Date(allowed) };
}
