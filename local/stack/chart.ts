import { readFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import * as YAML from "yaml";
import type { Report } from "../report.ts";
import { projectDir } from "./environment.ts";

/** The stand-in, relative to the project: an absolute path would show as a change elsewhere. */
const standIn = "./local/chart/scaffold";

interface ChartReference {
  repository: string;
  version: string;
}

function committedChart(): ChartReference {
  const file = readFileSync(join(projectDir, "stacks", "Pulumi.local.yaml"), "utf8");
  const { config } = YAML.parse(file) as { config: { "anchorhold:chart": ChartReference } };
  return config["anchorhold:chart"];
}

async function isReachable(repository: string): Promise<boolean> {
  try {
    const index = `${repository.replace(/\/$/, "")}/index.yaml`;
    const answer = await fetch(index, { method: "HEAD", signal: AbortSignal.timeout(5000) });
    return answer.ok;
  } catch {
    return false;
  }
}

/**
 * The chart of ANCHORHOLD_CHART, the pinned one from its repository, or the stand-in.
 * @returns a folder, or undefined for the repository
 */
export async function chooseChart(report: Report): Promise<string | undefined> {
  const named = process.env.ANCHORHOLD_CHART;
  if (named !== undefined && named !== "") {
    const path = isAbsolute(named) ? named : resolve(named);
    report(`Chart: the one that ANCHORHOLD_CHART names, ${path}`);
    return path;
  }
  const { repository, version } = committedChart();
  if (await isReachable(repository)) {
    report(`Chart: scaffold ${version} from ${repository}`);
    return undefined;
  }
  report(`Chart: the stand-in for scaffold ${version}, because ${repository} cannot be reached`);
  return standIn;
}
