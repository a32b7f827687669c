// What the committed stack file says, before this machine's choices.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as YAML from "yaml";
import { LocalError } from "../errors.ts";
import type { NodePorts } from "../kind/config.ts";
import { projectDir } from "./environment.ts";

/** A chart of a repository: `https://…`, or `oci://…`. */
export interface ChartReference {
  repository: string;
  version: string;
}

export interface StackDocument {
  encryptionsalt?: string;
  config: Record<string, unknown>;
}

export const committedFile = join(projectDir, "stacks", "Pulumi.local.yaml");

/** @throws LocalError naming the file and what mends it when it is no YAML */
export function readYaml(path: string): StackDocument {
  try {
    return YAML.parse(readFileSync(path, "utf8")) as StackDocument;
  } catch (error) {
    const [why] = (error as Error).message.split("\n");
    throw new LocalError(`${path} cannot be read (${why}). Mend it there, or git checkout it.`);
  }
}

/** The chart that the committed file names. */
export function committedChart(): ChartReference | { path: string } {
  return readYaml(committedFile).config["anchorhold:chart"] as ChartReference | { path: string };
}

/** The node ports that clients of this machine use. */
export function committedPorts(): NodePorts {
  const exposure = readYaml(committedFile).config["anchorhold:exposure"];
  return (exposure as { ports?: NodePorts }).ports ?? {};
}

/** The registry in place of all others, if there is one. */
export function committedMirror(): string | undefined {
  return readYaml(committedFile).config["anchorhold:mirror"] as string | undefined;
}
