/** The check cannot be made in this round, for a reason that another check reports. */
export class Skipped extends Error {}

/** There is nothing to check any more: its metrics go. */
export class Gone extends Error {}

/** How one check ended. */
export interface Outcome {
  check: string;
  result: "passed" | "failed" | "skipped" | "gone";
  seconds: number;
  /** One line, unless it passed. */
  reason?: string;
}
