// The container runtime that kind's node runs in: Docker, or else Podman.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { onPath } from "../stack/onPath.ts";
import { nodeContainer, nodeImage } from "./config.ts";

const execute = promisify(execFile);

export const runtimes = ["docker", "podman"] as const;
export type Runtime = (typeof runtimes)[number];

/** How long a runtime may take to say that it runs. */
const limit = 2_500;

/** What a runtime prints, or undefined when it fails or does not answer. */
async function ask(runtime: Runtime, args: readonly string[]): Promise<string | undefined> {
  const program = onPath(runtime);
  if (program === undefined) return undefined;
  try {
    return (await execute(program, args, { timeout: limit })).stdout.trim();
  } catch {
    return undefined;
  }
}

/** The version of a runtime that runs; its client alone does not count. */
const versionOf = (runtime: Runtime): Promise<string | undefined> =>
  runtime === "docker"
    ? ask("docker", ["version", "--format", "{{.Server.Version}}"])
    : ask("podman", ["info", "--format", "{{.Version.Version}}"]);

/**
 * The first runtime that runs here.
 * @returns it with its version, or why there is none
 */
export async function findRuntime(): Promise<
  { runtime: Runtime; version: string } | { why: string }
> {
  const versions = await Promise.all(runtimes.map(versionOf));
  const found = versions.findIndex((version) => version !== undefined && version !== "");
  const runtime = runtimes[found];
  if (runtime !== undefined) return { runtime, version: versions[found] ?? "" };
  const idle = runtimes.filter((name) => onPath(name) !== undefined);
  return {
    why: idle.length === 0 ? "no Docker or Podman on PATH" : `${idle.join(" and ")} does not run`,
  };
}

/** Whether the node's image need not be pulled any more. */
export const hasNodeImage = async (runtime: Runtime): Promise<boolean> =>
  (await ask(runtime, ["image", "inspect", "--format", "{{.Id}}", nodeImage])) !== undefined;

/** Whether the cluster's node is there, and runs. */
export async function nodeState(runtime: Runtime): Promise<"running" | "stopped" | undefined> {
  const format = "{{.State.Running}}";
  const state = await ask(runtime, ["container", "inspect", "--format", format, nodeContainer]);
  if (state === undefined) return undefined;
  return state === "true" ? "running" : "stopped";
}
