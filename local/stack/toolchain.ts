import { execFileSync } from "node:child_process";
import type { Report } from "../report.ts";
import { ensureTools } from "../tools/index.ts";
import { onPath } from "./onPath.ts";

/** The Pulumi command line and what stands behind it. */
export type PulumiChoice =
  { kind: "official"; pulumi: string } | { kind: "standIns"; pulumi: string; helm: string };

/** Stash resources and replacement triggers are there from this version on. */
const oldest = [3, 219] as const;

/**
 * An official installation that can run Node.js programs, or undefined. Its engine downloads the
 * official plugins by itself.
 */
function officialPulumi(): string | undefined {
  if (process.env.ANCHORHOLD_STAND_INS === "1") return undefined;
  const pulumi = onPath("pulumi");
  if (pulumi === undefined || onPath("pulumi-language-nodejs") === undefined) return undefined;
  const version = execFileSync(pulumi, ["version"], { encoding: "utf8" });
  const [, major = "0", minor = "0"] = /v?(\d+)\.(\d+)/.exec(version) ?? [];
  const isNewEnough =
    Number(major) > oldest[0] || (Number(major) === oldest[0] && Number(minor) >= oldest[1]);
  return isNewEnough ? pulumi : undefined;
}

/** Takes an official Pulumi from PATH, or builds the command line and uses plugin stand-ins. */
export async function choosePulumi(report: Report): Promise<PulumiChoice> {
  const official = officialPulumi();
  if (official !== undefined) {
    report(`Pulumi: the installation at ${official}, with the official plugins`);
    return { kind: "official", pulumi: official };
  }
  const { pulumi, helm } = await ensureTools(["pulumi", "helm"], report);
  if (pulumi === undefined || helm === undefined) throw new Error("a tool has no path");
  report("Pulumi: the command line built from its Go module, with stand-ins for the plugins");
  return { kind: "standIns", pulumi, helm };
}

/** Takes cosign from PATH, or builds it. */
export async function chooseCosign(report: Report): Promise<string> {
  const installed = onPath("cosign");
  if (installed !== undefined) return installed;
  const { cosign } = await ensureTools(["cosign"], report);
  if (cosign === undefined) throw new Error("a tool has no path");
  return cosign;
}
