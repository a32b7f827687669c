import { inOrder, wholeSeconds } from "../../infra/trust/generations.ts";
import { CannotRun } from "../errors.ts";
import { inState, unsettled, type Standing, type Step } from "./standing.ts";

/**
 * Lets the producer use the generation before again, which was trusted all the time.
 * @throws CannotRun when there is none that may be used again
 */
export function stepBack(standing: Standing): Step {
  refuseUnsettled(standing);
  const { life, configured } = standing;
  const active = inState(standing, "active").join();
  const earlier = life.switches.findLast(
    ({ generation }) => configured[generation]?.state === "draining",
  )?.generation;
  if (earlier === undefined)
    throw new CannotRun(
      `No generation can take over from ${active}: going back needs one that was used before and is ` +
        "still draining. Without --back, the way goes on to a new generation.",
    );
  const newer = inOrder(configured).filter(
    ({ number, generation }) => number > earlier && generation.state !== "distrusted",
  );
  return {
    do: "edit",
    what: `go back: ${earlier} is used again, ${active} is announced and stays trusted`,
    edit: {
      [earlier]: "active",
      ...Object.fromEntries(newer.map(({ number }) => [number, "announced"] as const)),
    },
  };
}

/**
 * Takes trust away from a stolen key: nothing that it made after `from` is trusted any more.
 * @throws CannotRun when that generation cannot be distrusted, or not from then on
 */
export function distrust(standing: Standing, number: number, from: Date): Step {
  refuseUnsettled(standing);
  const time = Number.isNaN(from.getTime()) ? String(from) : wholeSeconds(from.toISOString());
  const why = whyNotDistrust(standing, number, time);
  if (why !== undefined) throw new CannotRun(why);
  return {
    do: "edit",
    what: `distrust ${number}: what it made after ${time} is trusted no more, its key is destroyed`,
    edit: { [number]: { distrusted: time } },
  };
}

function whyNotDistrust(
  { configured, records, now }: Standing,
  number: number,
  from: string,
): string | undefined {
  const generation = configured[number];
  const start = records[number]?.start;
  if (generation === undefined || start === undefined)
    return `--distrust ${number}: there is no such generation.`;
  if (generation.state === "distrusted")
    return `Generation ${number} is distrusted already, from ${generation.from} on.`;
  if (generation.state === "active")
    return (
      `Generation ${number} is in use, and nothing could be signed after it is distrusted. Rotate to ` +
      "another one first (a shorter anchorhold:leadTime in the stack file hurries that)."
    );
  const time = Date.parse(from);
  if (time >= Date.parse(start) && time <= now.getTime()) return undefined;
  return (
    `--from must lie between the start of generation ${number}, ${start}, and now, ` +
    `${now.toISOString()}.`
  );
}

function refuseUnsettled(standing: Standing): void {
  const open = unsettled(standing);
  if (open === undefined) return;
  throw new CannotRun(
    `First ${open.what}. anchorhold rotate without --back or --distrust does it.`,
  );
}
