import { spawn } from "node:child_process";
import { LocalError } from "../errors.ts";

export interface Result {
  /** Exit code; 127 when the program is not there, -1 when a signal ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. Never rejects: a missing program is exit code 127. */
export function run(program: string, args: string[], input = ""): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.on("error", (error) => resolve({ code: 127, stdout, stderr: error.message }));
    child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    child.stdin.on("error", () => undefined); // the program ended without reading its input
    child.stdin.end(input);
  });
}

/** Runs a program and gives its standard output; throws {@link LocalError} unless it succeeds. */
export async function must(program: string, args: string[], input = ""): Promise<string> {
  const result = await run(program, args, input);
  if (result.code === 0) return result.stdout;
  const said = result.stderr.trim() || result.stdout.trim() || "it said nothing";
  throw new LocalError(`${program} ${args.join(" ")} failed (exit ${result.code}): ${said}`);
}
