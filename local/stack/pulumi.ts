import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { runPulumi } from "../pulumi/run.ts";
import { environment, projectDir } from "./environment.ts";
import { refuseOtherStacks } from "./stackArguments.ts";
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
