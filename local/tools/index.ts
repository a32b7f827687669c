// The command-line tools and Debian packages of the local ladder's last rung.
import type { Report } from "../report.ts";
import { ensureProgram } from "./gobuild.ts";
import { tools } from "./programs.ts";

export { ensurePackages } from "./packages.ts";

/** A tool that can be built here. */
export type ToolName = keyof typeof tools;

/** Every tool, the longest build first. */
export const toolNames = Object.keys(tools) as ToolName[];

/**
 * Makes sure that tools are in the cache; those that are missing are built side by side.
 *
 * "kubernetes" is one binary that acts as kube-apiserver, kube-controller-manager,
 * kube-scheduler, kube-proxy, kubelet or kubectl by the name it is called by; links with those
 * names lie beside it.
 * @returns the binaries' absolute paths by tool
 * @throws LocalError naming the tool, the cause and the remedy
 */
export async function ensureTools(
  names: readonly ToolName[],
  report: Report,
): Promise<Record<string, string>> {
  const wanted = toolNames.filter((name) => names.includes(name));
  const paths = await Promise.all(wanted.map((name) => ensureProgram(tools[name], report)));
  return Object.fromEntries(wanted.map((name, index) => [name, paths[index]!]));
}
