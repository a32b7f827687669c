import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { patient, quick, unanswered } from "../downloads/fetch.ts";
import type { Choices } from "../stack/choices.ts";
import { projectDir } from "../stack/environment.ts";
import { committedChart } from "../stack/committed.ts";
import { climb, type Found, type Rung, type Taken } from "./climb.ts";
import { registryProblem } from "./registries.ts";
import type { RungOf, Switches } from "./rungs.ts";

/** The stand-in, relative to the project: an absolute path would show as a change elsewhere. */
export const standInChart = "./local/chart/scaffold";

/** Where a chart is taken from, in place of what the committed file says. */
export interface ChartSource {
  chartPath?: string;
  chartRepository?: string;
}

const isUrl = (text: string): boolean => /^(https?|oci):\/\//.test(text);

/**
 * The rung for the chart, and where it is.
 *
 * @param named ANCHORHOLD_CHART: a folder, or a repository (https://…, oci://…) with the pinned version
 */
export async function chooseChartRung(
  switches: Switches,
  known: Choices | undefined,
  named: string | undefined,
): Promise<{ taken: Taken<"chart">; source: ChartSource }> {
  const sources = sourcesOf(known, named);
  const before = formerChart(known);
  const wanted = switches.chart ?? (named === undefined ? undefined : rungOf(named));
  const taken = await climb({
    need: "chart",
    title: "Chart",
    rungs: [
      ...(sources.path === undefined && wanted !== "path" ? [] : [inFolder(sources.path)]),
      inRepository(sources.repository),
      standIn,
    ],
    wanted,
    before,
    bound:
      before === undefined || wanted !== undefined
        ? undefined
        : "This stack was installed from there; `npm start -- --chart stand-in` takes the stand-in.",
  });
  return { taken, source: sourceOf(taken.rung, sources) };
}

const rungOf = (named: string): RungOf<"chart"> => (isUrl(named) ? "repository" : "path");

interface Sources {
  /** A folder, relative to the project or absolute. */
  path: string | undefined;
  repository: string | undefined;
  /** Whether the committed file says the same. */
  isCommitted: boolean;
}

function sourcesOf(known: Choices | undefined, named: string | undefined): Sources {
  const committed = committedChart();
  const isFolder = named !== undefined && !isUrl(named);
  const repository = named !== undefined && isUrl(named) ? named : known?.chartRepository;
  const former = known?.chartPath === standInChart ? undefined : known?.chartPath;
  return {
    path: isFolder
      ? resolve(named)
      : (former ?? ("path" in committed ? committed.path : undefined)),
    repository: repository ?? ("repository" in committed ? committed.repository : undefined),
    isCommitted: repository === undefined,
  };
}

function sourceOf(rung: RungOf<"chart">, { path, repository, isCommitted }: Sources): ChartSource {
  if (rung === "stand-in") return { chartPath: standInChart };
  if (rung === "path") return path === undefined ? {} : { chartPath: path };
  return isCommitted || repository === undefined ? {} : { chartRepository: repository };
}

function formerChart(known: Choices | undefined): RungOf<"chart"> | undefined {
  if (known === undefined) return undefined;
  if (known.rungs !== undefined) return known.rungs.chart;
  if (known.chartPath === undefined) return "repository";
  return known.chartPath === standInChart ? "stand-in" : "path";
}

const inFolder = (path: string | undefined): Rung<"chart"> => ({
  rung: "path",
  remedy: "Name the folder of an unpacked scaffold chart in ANCHORHOLD_CHART.",
  look: () => {
    if (path === undefined) return Promise.resolve({ why: "ANCHORHOLD_CHART names no folder" });
    const isThere = existsSync(join(resolve(projectDir, path), "Chart.yaml"));
    return Promise.resolve(isThere ? { what: path } : { why: `${path} has no Chart.yaml` });
  },
});

const inRepository = (repository: string | undefined): Rung<"chart"> => ({
  rung: "repository",
  remedy:
    "Let this machine reach it, or name a mirror of it (https://…, oci://…) in ANCHORHOLD_CHART.",
  look: (isPatient) =>
    repository === undefined
      ? Promise.resolve({ why: "stacks/Pulumi.local.yaml names no repository" })
      : lookInRepository(repository, isPatient),
});

async function lookInRepository(repository: string, isPatient: boolean): Promise<Found> {
  const what = `scaffold from ${repository}`;
  const place = repository.replace(/\/+$/, "");
  if (place.startsWith("oci://")) {
    const why = await registryProblem(new URL(place).host, isPatient);
    return why === undefined ? { what } : { why };
  }
  try {
    const signal = AbortSignal.timeout(isPatient ? patient : quick);
    const { ok, status } = await fetch(`${place}/index.yaml`, { method: "HEAD", signal });
    return ok ? { what } : { why: `${place}/index.yaml answers ${status}` };
  } catch (error) {
    return { why: unanswered(place, error) };
  }
}

const standIn: Rung<"chart"> = {
  rung: "stand-in",
  remedy: "",
  look: () => Promise.resolve({ what: "the stand-in for scaffold, for the local stack alone" }),
};
