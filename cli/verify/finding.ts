import type { StackOutputs } from "../../infra/outputs.ts";
import type { Mirror } from "../../infra/observe/mirror.ts";

export type Service = "fulcio" | "rekor" | "ctlog" | "tuf" | "tsa" | "signing";
export type Result = "ok" | "warn" | "fail";

/** What one check saw. `expected` and `hint` are there unless the result is "ok". */
export interface Verdict {
  result: Result;
  seen: string;
  expected?: string;
}

/** A verdict with its place; one line of the table and one element of `--json`. */
export interface Finding extends Verdict {
  service: Service;
  check: string;
  hint?: string;
}

/** All that a check may use. Nothing here changes the instance, but for one signed entry per run. */
export interface Context {
  outputs: StackOutputs;
  /** The TUF repository, walked from root 1 with an empty cache; the same client for all checks. */
  mirror: () => Promise<Mirror>;
  /** An OIDC token for Fulcio. */
  identityToken: () => Promise<string>;
  now: Date;
  /** Fires when the check's time is up. */
  signal: AbortSignal;
}

export interface Check {
  service: Service;
  title: string;
  /** One line: what to do when it fails. */
  hint: string;
  /** What was expected, for a failure that comes as a thrown error. */
  expected?: string;
  run(context: Context): Promise<Verdict>;
}

export const ok = (seen: string): Verdict => ({ result: "ok", seen });
export const warn = (seen: string, expected: string): Verdict => ({
  result: "warn",
  seen,
  expected,
});
export const fail = (seen: string, expected: string): Verdict => ({
  result: "fail",
  seen,
  expected,
});
