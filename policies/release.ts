import type { Resource } from "./rule.ts";
import { find } from "./plain.ts";

export function isRelease({ type }: Resource): boolean {
  return type === "kubernetes:helm.sh/v3:Release";
}

/** Whether a Release installs the scaffold chart, from a folder or a repository. */
export function isScaffold(resource: Resource): boolean {
  const chart = find(resource.props, "chart");
  return isRelease(resource) && typeof chart === "string" && /(^|\/)scaffold\/?$/.test(chart);
}
