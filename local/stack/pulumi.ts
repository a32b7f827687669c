import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { isLocalStack } from "../../infra/config/elsewhere.ts";
import { LocalError } from "../errors.ts";
import { runPulumi } from "../pulumi/run.ts";
import { environment, projectDir, stackFile } from "./environment.ts";
import type { PulumiChoice } from "./toolchain.ts";

export interface PulumiRun {
  stdio: "inherit" | "capture";
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

export interface PulumiResult {
  code: number;
  stdout: string;
  stderr: string;
}

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
  choice: Pick<PulumiChoice, "kind">,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): void {
  if (choice.kind === "official") return;
  const stack = namedStack(args) ?? env.PULUMI_STACK;
  // `organization/project/stack` names one, too.
  if (stack === undefined || isLocalStack(stack.split("/").at(-1) ?? "")) return;
  throw new LocalError(
    `Stack ${stack}: the stand-ins for Pulumi's plugins serve the local stack alone. Install Pulumi ` +
      "(https://www.pulumi.com/docs/iac/download-install/) and run it without npm.",
  );
}

/**
 * Runs the Pulumi command line in the project, with what stands behind it here.
 * @throws LocalError when that is stand-ins, and the stack another than a local one
 */
export async function pulumi(
  choice: PulumiChoice,
  args: readonly string[],
  { stdio, cwd = projectDir, env = {} }: PulumiRun,
): Promise<PulumiResult> {
  const binDirs = [dirname(choice.pulumi), ...("helm" in choice ? [dirname(choice.helm)] : [])];
  const run = { cwd, env: { ...environment(binDirs), ...env }, stdio };
  refuseOtherStacks(choice, args, run.env);
  if (choice.kind === "official") return await official(choice.pulumi, args, run);
  return await runPulumi(args, { ...run, pulumi: choice.pulumi, helm: choice.helm });
}

function official(
  program: string,
  args: readonly string[],
  { stdio, ...options }: Required<PulumiRun>,
): Promise<PulumiResult> {
  const child = spawn(program, args, {
    ...options,
    stdio: stdio === "inherit" ? ["inherit", "inherit", "pipe"] : ["ignore", "pipe", "pipe"],
  });
  if (stdio === "inherit") child.stderr?.pipe(process.stderr);
  const result = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, ...result }));
  });
}
