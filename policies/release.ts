import type { Resource } from "./rule.ts";
import { find, text } from "./plain.ts";

export function isRelease({ type }: Resource): boolean {
  return type === "kubernetes:helm.sh/v3:Release";
}

/** The path, name or URL of a Release's chart. */
export function chartOf({ props }: Resource): string {
  return text(props["chart"]);
}

/** Whether a Release installs the scaffold chart, from a folder or a repository. */
export function isScaffold(resource: Resource): boolean {
  return isRelease(resource) && /(^|\/)scaffold\/?$/.test(chartOf(resource));
}

/** What `helm template` is given: arguments, and the values for its standard input. */
export interface Rendering {
  args: string[];
  stdin: string;
}

/**
 * How a Release renders; values that are not known yet are there as a text that says so.
 * @returns what is in the way instead, as a sentence
 */
export function renderingOf(resource: Resource): Rendering | string {
  const { props } = resource;
  if (find(props, "repositoryOpts", "password") !== undefined)
    return "its repository wants a password, which must not stand on a command line; unpack the chart and set anchorhold:chart.path";
  if (props["valueYamlFiles"] !== undefined) return "its values are in files, which are not seen";
  const chart = chartOf(resource);
  if (chart === "") return "it names no chart";
  const options = {
    "--repo": find(props, "repositoryOpts", "repo"),
    "--version": props["version"],
    "--namespace": props["namespace"],
  };
  const flags = Object.entries(options).flatMap(([flag, value]) =>
    text(value) === "" ? [] : [flag, text(value)],
  );
  return {
    args: ["template", text(props["name"]) || resource.name, chart, ...flags, "--values", "-"],
    stdin: JSON.stringify(props["values"] ?? {}),
  };
}
