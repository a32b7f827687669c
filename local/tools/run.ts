// Runs a command to its end and turns a failure into one clear message.
import { spawn, type ChildProcess } from "node:child_process";
import { LocalError } from "../errors.ts";
import { explainFailure } from "./explain.ts";

/** How to run a command; `what` names, in error messages, the thing that is being made. */
export interface RunOptions {
  what: string;
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  /** What to install or do when the command itself is not there. */
  whenMissing?: string;
}

const running = new Set<ChildProcess>();
// A build must not go on alone after the program that started it has gone.
process.on("exit", () => {
  for (const child of running) child.kill("SIGTERM");
});

function missing(command: string, options: RunOptions): LocalError {
  const remedy = options.whenMissing ?? `Install "${command}"`;
  return new LocalError(`${options.what}: "${command}" is not on PATH. ${remedy}.`);
}

/**
 * Runs a command without a shell and waits for it.
 * @returns its standard output
 * @throws LocalError naming `what`, the cause and the remedy when it fails or is missing
 */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    const output = { stdout: "", all: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      output.stdout += chunk.toString();
      output.all += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => (output.all += chunk.toString()));
    child.once("error", (error: NodeJS.ErrnoException) => {
      running.delete(child);
      reject(error.code === "ENOENT" ? missing(command, options) : error);
    });
    child.once("close", (code, signal) => {
      running.delete(child);
      if (code === 0) return resolve(output.stdout);
      const cause = code === null ? `stopped by ${signal}` : explainFailure(output.all);
      reject(new LocalError(`${options.what}: ${cause}`));
    });
  });
}
