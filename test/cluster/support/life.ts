import type { GenerationLines } from "../../../local/stack/generations.ts";

/** One edit of a kind's lines. */
export interface LifeStep {
  name: string;
  lines: GenerationLines;
  /** The generation that signs or issues after it. */
  issues: string;
  /** Whether the program must refuse it until the lead time is over. */
  waits: boolean;
}

/**
 * The whole life of a kind's next generation, from its announcement until the one before it is
 * retired, with a step back in between; all older lines stay as they are.
 *
 * @param lines the generations now; one that is announced already is the next one
 */
export function nextLife(lines: GenerationLines): { next: string; steps: LifeStep[] } {
  const numbered = (state: string) => Object.keys(lines).find((number) => lines[number] === state);
  const now = numbered("active");
  if (now === undefined) throw new Error(`no line is "active": ${JSON.stringify(lines)}`);
  const next = numbered("announced") ?? String(Math.max(...Object.keys(lines).map(Number)) + 1);
  const step = (name: string, older: string, newer: string, waits = false): LifeStep => ({
    name,
    lines: { ...lines, [now]: older, [next]: newer },
    issues: newer === "active" ? next : now,
    waits,
  });
  return {
    next,
    steps: [
      step("announce", "active", "announced"),
      step("activate", "draining", "active", true),
      step("step back", "active", "announced"),
      step("activate again", "draining", "active"),
      step("close", "closed", "active", true),
      step("retire", "retired", "active"),
    ],
  };
}
