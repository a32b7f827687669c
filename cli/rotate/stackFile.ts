import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as YAML from "yaml";
import { parseConfig, type Config } from "../../infra/config.ts";
import { CannotRun, oneLine } from "../errors.ts";
import { askPulumi } from "../pulumi.ts";

const projectRoot = fileURLToPath(new URL("../..", import.meta.url));

/** The file with a stack's configuration. */
export interface StackFile {
  path: string;
  /** As people call it: relative to where they are. */
  name: string;
  /** What tells Pulumi to read it, where it would read another one. */
  flags: readonly string[];
}

/**
 * The file that was named, or stacks/Pulumi.<stack>.yaml: the one that a person edits. On the local
 * stack `npm run pulumi` deploys another, which it makes from this one each time.
 */
export async function findStackFile(options: {
  file?: string | undefined;
  stack?: string | undefined;
}): Promise<StackFile> {
  if (options.file !== undefined) {
    const path = resolve(options.file);
    return { path, name: nameOf(path), flags: ["--config-file", path] };
  }
  const stack = options.stack ?? process.env.PULUMI_STACK ?? (await selectedStack());
  // A stack of Pulumi's service may be named with its organization and project.
  const path = resolve(projectRoot, "stacks", `Pulumi.${stack.split("/").at(-1)}.yaml`);
  return { path, name: nameOf(path), flags: [] };
}

async function selectedStack(): Promise<string> {
  return (await askPulumi(["stack", "--show-name"])).trim();
}

function nameOf(path: string): string {
  const name = relative(process.cwd(), path);
  return name.startsWith("..") ? path : name;
}

/** @throws CannotRun when there is no such file, or its bytes are not UTF-8 */
export function readStackFile({ path, name }: StackFile): { bytes: Buffer; text: string } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new CannotRun(`${name}: ${oneLine(error)}. Name the stack's file with --file.`);
  }
  const text = bytes.toString("utf8");
  if (!Buffer.from(text).equals(bytes)) throw new CannotRun(`${name} is not UTF-8. Mend it there.`);
  return { bytes, text };
}

/**
 * The configuration in a stack file's text, as the program reads it.
 * @throws CannotRun that lists every problem
 */
export function configOf(text: string, { name }: StackFile): Config {
  try {
    const { config } = YAML.parse(text) as { config: Record<string, unknown> };
    const own = Object.entries(config).filter(([key]) => key.startsWith("anchorhold:"));
    const values = own.map(([key, value]): [string, string] => [
      key.slice("anchorhold:".length),
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    return parseConfig(Object.fromEntries(values), name);
  } catch (error) {
    throw new CannotRun(`${name} cannot be read: ${oneLine(error)}`);
  }
}
