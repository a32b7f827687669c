import { execFileSync } from "node:child_process";
import { onPath } from "./onPath.ts";

/** Stash resources and replacement triggers are there from this version on. */
const oldest = [3, 219] as const;

/**
 * A Pulumi on PATH that can run this program.
 * @param withStandIns whether its language host is ours as well, so that none is needed beside it
 * @returns where it is, or why there is none
 */
export function installedPulumi(
  withStandIns: boolean,
): { path: string; version: string } | { why: string } {
  const path = onPath("pulumi");
  if (path === undefined) return { why: "no pulumi on PATH" };
  if (!withStandIns && onPath("pulumi-language-nodejs") === undefined)
    return { why: `${path} has no pulumi-language-nodejs beside it on PATH` };
  const version = versionOf(path);
  const [, major = "0", minor = "0"] = /v?(\d+)\.(\d+)/.exec(version) ?? [];
  const isNewEnough =
    Number(major) > oldest[0] || (Number(major) === oldest[0] && Number(minor) >= oldest[1]);
  if (!isNewEnough) return { why: `${path} is ${version}, older than ${oldest.join(".")}` };
  return { path, version };
}

function versionOf(path: string): string {
  try {
    return execFileSync(path, ["version"], { encoding: "utf8", timeout: 10_000 }).trim();
  } catch {
    return "broken";
  }
}
