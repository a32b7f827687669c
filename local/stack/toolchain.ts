import { ensureRelease } from "../downloads/index.ts";
import { pulumiRelease } from "../downloads/releases.ts";
import { choosePulumiRungs } from "../ladder/pulumi.ts";
import type { Rungs } from "../ladder/rungs.ts";
import type { Report } from "../report.ts";
import { ensureTools } from "../tools/index.ts";
import { knownChoices } from "./choices.ts";
import { installedPulumi } from "./installed.ts";
import { onPath } from "./onPath.ts";
import { ensurePlugins } from "./plugins.ts";
import { refuseOtherStacks } from "./stackArguments.ts";

/** The Pulumi command line and what stands behind it. */
export type PulumiChoice =
  { kind: "official"; pulumi: string } | { kind: "standIns"; pulumi: string; helm: string };

/**
 * What runs Pulumi here: as before, or the first that is there.
 * @param args what it will run; another stack than a local one is refused before anything is made
 */
export async function choosePulumi(
  report: Report,
  args: readonly string[] = [],
): Promise<PulumiChoice> {
  const { pulumi, plugins } = await choosePulumiRungs({}, knownChoices());
  refuseOtherStacks({ kind: plugins.rung === "official" ? "official" : "standIns" }, args);
  report(pulumi.line);
  report(plugins.line);
  return await ensurePulumi({ pulumi: pulumi.rung, plugins: plugins.rung }, report);
}

/** Makes sure that the command line and the plugins of these rungs are there. */
export async function ensurePulumi(
  rungs: Pick<Rungs, "pulumi" | "plugins">,
  report: Report,
): Promise<PulumiChoice> {
  const pulumi = await ensureCommandLine(rungs, report);
  if (rungs.plugins === "stand-in")
    return { kind: "standIns", pulumi, helm: await ensureTool("helm", report) };
  await ensurePlugins(pulumi, report);
  return { kind: "official", pulumi };
}

async function ensureCommandLine(
  { pulumi, plugins }: Pick<Rungs, "pulumi" | "plugins">,
  report: Report,
): Promise<string> {
  if (pulumi === "download") return await ensureRelease(pulumiRelease(), report);
  if (pulumi === "build") return await ensureTool("pulumi", report);
  const found = installedPulumi(plugins === "stand-in");
  if ("why" in found) throw new Error(found.why);
  return found.path;
}

async function ensureTool(name: "pulumi" | "helm" | "cosign", report: Report): Promise<string> {
  const path = (await ensureTools([name], report))[name];
  if (path === undefined) throw new Error(`${name} has no path`);
  return path;
}

/** Takes cosign from PATH, or builds it. */
export async function chooseCosign(report: Report): Promise<string> {
  return onPath("cosign") ?? (await ensureTool("cosign", report));
}
