import * as pulumi from "@pulumi/pulumi";

/**
 * Something the user can mend. The message names the place, the rule that was broken and the
 * command or edit that mends it. Pulumi prints it without a stack trace.
 */
export class UserError extends pulumi.RunError {}

/** Several problems as one error, so that nobody has to mend them one run at a time. */
export function reportAll(headline: string, problems: readonly string[]): UserError {
  return new UserError(`${headline}\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
}
