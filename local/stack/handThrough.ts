import { spawn } from "node:child_process";
import { environment, projectDir } from "./environment.ts";

/**
 * Runs a program in the project, on the terminal and in the environment of the local stack.
 *
 * @param binDirs folders that come first on its PATH
 * @returns its exit code; 1 when a signal ended it
 */
export function handThrough(
  program: string,
  args: readonly string[],
  binDirs: readonly string[],
): Promise<number> {
  const options = { cwd: projectDir, env: environment(binDirs), stdio: "inherit" } as const;
  const child = spawn(program, args, options);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}
