// Which stack a command line of Pulumi's is about.
import { isLocalStack } from "../../infra/config/elsewhere.ts";
import { LocalError } from "../errors.ts";
import { stackFile } from "./environment.ts";

/** Commands that read the stack's configuration file. */
const readConfig = new Set(["up", "update", "preview", "pre", "refresh", "destroy", "config"]);

/**
 * The stack that the arguments name: `-s NAME`, `-s=NAME`, `-sNAME`, `-ys NAME` (behind flags that
 * take no value), or `--stack` likewise.
 */
function namedStack(args: readonly string[]): string | undefined {
  const [stack] = args.flatMap((arg, index) => {
    if (arg === "-s" || arg === "--stack") return [args[index + 1] ?? ""];
    const [, joined] = /^(?:-[^-cCmptv=]*s=?|--stack=)(.*)$/.exec(arg) ?? [];
    return joined === "" ? (args[index + 1] ?? "") : (joined ?? []);
  });
  return stack;
}

/** Adds the deployed configuration, unless the caller names another file or another stack. */
export function withStackFile(args: readonly string[]): string[] {
  const command = args.find((arg) => !arg.startsWith("-"));
  const isOther =
    (namedStack(args) ?? "local") !== "local" ||
    args.some((arg) => /^--config-file(=|$)/.test(arg));
  return command !== undefined && readConfig.has(command) && !isOther
    ? [...args, "--config-file", stackFile]
    : [...args];
}

/**
 * Stand-ins are for the stacks of one machine alone: `local` and `local-…`.
 * @throws LocalError when the arguments, or else PULUMI_STACK, name another one
 */
export function refuseOtherStacks(
  plugins: { kind: "official" | "standIns" },
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): void {
  if (plugins.kind === "official") return;
  const stack = namedStack(args) ?? env.PULUMI_STACK;
  // `organization/project/stack` names one, too.
  if (stack === undefined || isLocalStack(stack.split("/").at(-1) ?? "")) return;
  throw new LocalError(
    `Stack ${stack}: the stand-ins for Pulumi's plugins serve the local stack alone. Install Pulumi ` +
      "(https://www.pulumi.com/docs/iac/download-install/) and run it without npm.",
  );
}
