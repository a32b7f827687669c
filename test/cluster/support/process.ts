import { execFile } from "node:child_process";

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end and returns what it said, whatever its exit code; a program that
 * cannot be started, or takes longer than the limit, is an error.
 */
export function run(
  program: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; limitMs?: number } = {},
): Promise<Run> {
  const { env = process.env, cwd, limitMs = 120_000 } = options;
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { env, cwd, timeout: limitMs, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr });
        else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
        else reject(new Error(`${program} ${args[0] ?? ""}: ${error.message}\n${stderr}`));
      },
    );
  });
}

/** Like {@link run}, for a program that must succeed. */
export async function mustRun(...args: Parameters<typeof run>): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  if (code !== 0) {
    throw new Error(`${args[0]} ${args[1].join(" ")}: exit code ${code}\n${stdout}\n${stderr}`);
  }
  return stdout;
}
