import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { CannotRun, oneLine } from "./errors.ts";

const projectRoot = fileURLToPath(new URL("..", import.meta.url));

export interface PulumiOptions {
  /** `inherit`: on the user's terminal. `capture`: only collected. */
  stdio: "inherit" | "capture";
  /** What the command reads from standard input; only with `capture`. */
  input?: string;
  /** Asks Pulumi to stop in an orderly way, as Ctrl-C does. */
  signal?: AbortSignal;
}

export interface PulumiResult {
  code: number;
  /** Empty with `inherit`. */
  stdout: string;
  stderr: string;
}

/**
 * The command that runs Pulumi: ANCHORHOLD_PULUMI, split at spaces, else `pulumi` on PATH. The
 * local stack sets it, because there Pulumi needs what stands in for its plugins.
 */
export function pulumiCommand(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const words = (env.ANCHORHOLD_PULUMI ?? "").split(" ").filter((word) => word !== "");
  return words.length === 0 ? ["pulumi"] : words;
}

/**
 * Runs Pulumi in the project's folder. A stack is chosen as Pulumi does it (`--stack` among the
 * arguments, PULUMI_STACK, the selected one).
 * @returns how it ended, whatever its exit code; 1 when a signal ended it
 * @throws CannotRun when there is no such program
 */
export async function runPulumi(
  args: readonly string[],
  { stdio, input, signal }: PulumiOptions,
): Promise<PulumiResult> {
  const [program = "", ...first] = pulumiCommand();
  const options: SpawnOptions = {
    cwd: projectRoot,
    stdio:
      stdio === "inherit" ? "inherit" : [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  };
  const child = spawn(program, [...first, ...args], options);
  signal?.addEventListener("abort", () => child.kill("SIGINT"), { once: true });
  child.stdin?.on("error", () => undefined); // it ended without reading all: its exit code tells
  child.stdin?.end(input);
  const [code, stdout, stderr] = await Promise.all([
    ended(child, program),
    child.stdout ? text(child.stdout) : "",
    child.stderr ? text(child.stderr) : "",
  ]);
  return { code, stdout, stderr };
}

/**
 * Runs Pulumi for what it prints.
 * @throws CannotRun with what it said when it fails
 */
export async function askPulumi(args: readonly string[], input?: string): Promise<string> {
  const options: PulumiOptions = { stdio: "capture", ...(input === undefined ? {} : { input }) };
  const { code, stdout, stderr } = await runPulumi([...args, "--non-interactive"], options);
  if (code === 0) return stdout;
  const words = args.slice(0, 2).join(" ");
  throw new CannotRun(`pulumi ${words} failed: ${oneLine(stderr.trim() || `exit code ${code}`)}`);
}

/** `--stack NAME` for Pulumi, or nothing for the selected stack. */
export const stackFlag = (stack: string | undefined): string[] =>
  stack === undefined ? [] : ["--stack", stack];

/** Ctrl-C reaches Pulumi by itself; this process waits for how it ends. */
async function ended(child: ChildProcess, program: string): Promise<number> {
  const stay = (): void => undefined;
  process.on("SIGINT", stay);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    });
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    throw new CannotRun(
      `${program} is not on PATH. Install Pulumi, or name the command in ANCHORHOLD_PULUMI.`,
    );
  } finally {
    process.off("SIGINT", stay);
  }
}
