import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { UserError } from "../errors.ts";

/** The scaffold chart: from a Helm repository, or from a folder relative to the project's. */
export type ChartReference = { repository: string; version: string } | { path: string };

export const chartName = "scaffold";

/** Versions that the values, and the contract test, were written for. */
export const supportedChartVersions: readonly string[] = ["0.6.113"];

const supported = supportedChartVersions.join(", ");

function readChartFile(path: string): string {
  const file = join(resolve(path), "Chart.yaml");
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(
      `The chart at ${path} cannot be read (${file}: ${(error as NodeJS.ErrnoException).code}). ` +
        "anchorhold:chart.path must be the folder of an unpacked scaffold chart, relative to the " +
        `project. Unpack one there: helm pull --untar --version ${supportedChartVersions[0]} ` +
        "--repo https://sigstore.github.io/helm-charts scaffold",
    );
  }
}

function metadata(path: string): { name: unknown; version: unknown } {
  const text = readChartFile(path);
  try {
    const { name, version } = parse(text) as { name: unknown; version: unknown };
    return { name, version };
  } catch {
    throw new UserError(
      `The chart at ${path} has a Chart.yaml that is no YAML mapping. Unpack the scaffold chart anew.`,
    );
  }
}

/**
 * The version of the chart that will be installed.
 * @throws UserError when a folder is not readable, is another chart, or the version has no values
 */
export function chartVersion(chart: ChartReference): string {
  const found =
    "path" in chart ? metadata(chart.path) : { name: chartName, version: chart.version };
  const place = "path" in chart ? chart.path : chart.repository;
  if (found.name !== chartName)
    throw new UserError(
      `The chart at ${place} is "${String(found.name)}", not "${chartName}". ` +
        `Set anchorhold:chart to scaffold ${supported}.`,
    );
  const version = String(found.version);
  if (!supportedChartVersions.includes(version))
    throw new UserError(
      `The chart at ${place} is scaffold ${version}, for which Anchorhold has no values; it has them ` +
        `for ${supported}. Set anchorhold:chart to ${supported}, or update Anchorhold.`,
    );
  return version;
}
