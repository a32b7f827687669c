import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** What a stack file says beside the configuration. */
export interface StackFile {
  /** As `--secrets-provider` was given: `awskms://…`, or `passphrase`. */
  secretsprovider?: unknown;
  /** Proof of the passphrase, and what it is salted with. */
  encryptionsalt?: unknown;
}

/**
 * The file of a stack where Pulumi keeps it: in the folder that Pulumi.yaml names.
 * @returns undefined where none can be read
 */
export function stackFile(project: string, stack: string): StackFile | undefined {
  const { stackConfigDir } = read(join(project, "Pulumi.yaml")) as { stackConfigDir?: string };
  return read(join(project, stackConfigDir ?? ".", `Pulumi.${stack}.yaml`));
}

function read(path: string): StackFile | undefined {
  if (!existsSync(path)) return undefined;
  const found: unknown = parse(readFileSync(path, "utf8"));
  return typeof found === "object" && found !== null ? found : {};
}
