import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import { parse } from "yaml";
import { startHost, type HostOptions, type Witness } from "./host.ts";

export interface RunOptions {
  /** Path of the pulumi CLI. */
  pulumi: string;
  /** Path of the helm 3 binary. */
  helm: string;
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Default: the cluster that KUBECONFIG or the provider's configuration names. */
  cluster?: HostOptions["cluster"];
  stdio: "inherit" | "capture";
  witness?: Witness;
  /** Ends CLI, program and plugins at once and without a word, as when the machine goes away. */
  kill?: AbortSignal;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** What a shell reports for a process that SIGINT ended. */
const INTERRUPTED = 130;

/** Runs the pulumi CLI with the stand-in host beside it. */
export async function runPulumi(args: readonly string[], options: RunOptions): Promise<RunResult> {
  const { pulumi, helm, cwd, env, stdio } = options;
  const output = stdio === "inherit" ? process : captured();
  const host = await startHost({
    cluster: options.cluster ?? "real",
    helm,
    directory: programDirectory(cwd),
    env,
    output: { stdout: output.stdout, stderr: output.stderr },
    ...(options.witness && { witness: options.witness }),
  });
  try {
    const child = spawn(pulumi, args, {
      cwd,
      env: { ...env, ...host.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      stdio: stdio === "inherit" ? ["inherit", "inherit", "pipe"] : ["ignore", "pipe", "pipe"],
    });
    if (stdio === "inherit") child.stderr?.pipe(process.stderr);
    options.kill?.addEventListener("abort", () => {
      child.kill("SIGKILL");
      void host.close();
    });
    return await finished(child);
  } finally {
    await host.close();
  }
}

/** The program's own output is part of the diagnostics that the CLI prints; here it only drains. */
function captured(): { stdout: PassThrough; stderr: PassThrough } {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  stdout.resume();
  stderr.resume();
  return { stdout, stderr };
}

/**
 * Waits for the CLI. Ctrl-C reaches it from the terminal; this process only has to stay alive, so
 * that the plugins can end what they are doing. A SIGTERM to this process is handed on as SIGINT.
 */
function finished(child: ChildProcess): Promise<RunResult> {
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout?.on("data", (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.stderr.push(chunk));
  const stay = (): void => undefined;
  const stop = (): void => void child.kill("SIGINT");
  process.on("SIGINT", stay);
  process.on("SIGTERM", stop);
  return new Promise<RunResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({
        code: code ?? INTERRUPTED,
        stdout: Buffer.concat(chunks.stdout).toString(),
        stderr: Buffer.concat(chunks.stderr).toString(),
      }),
    );
  }).finally(() => {
    process.off("SIGINT", stay);
    process.off("SIGTERM", stop);
  });
}

/** Where the engine runs the program: the project's folder, or that of `main` in Pulumi.yaml. */
export function programDirectory(cwd: string): string {
  const root = projectRoot(resolve(cwd));
  if (root === undefined) return cwd;
  const project = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { main?: string };
  if (project.main === undefined) return root;
  const main = join(root, project.main);
  return statSync(main, { throwIfNoEntry: false })?.isDirectory() ? main : dirname(main);
}

function projectRoot(directory: string): string | undefined {
  if (existsSync(join(directory, "Pulumi.yaml"))) return directory;
  const parent = dirname(directory);
  return parent === directory ? undefined : projectRoot(parent);
}
