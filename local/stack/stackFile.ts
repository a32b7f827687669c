import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as YAML from "yaml";
import { LocalError } from "../errors.ts";
import { projectDir, stackFile } from "./environment.ts";
import { pulumi } from "./pulumi.ts";
import type { PulumiChoice } from "./toolchain.ts";

interface StackDocument {
  encryptionsalt?: string;
  config: Record<string, unknown>;
}

/** What this machine puts in place of the committed configuration's values. */
export interface Choices {
  /** A chart's folder; the committed repository if left out. */
  chartPath?: string;
  /** Image references by key; the published ones if left out. */
  images?: Record<string, string>;
}

const committedFile = join(projectDir, "stacks", "Pulumi.local.yaml");

/**
 * Writes the configuration that is deployed here: the committed file, read anew each time, with
 * what was chosen on this machine. The checkout itself stays as it is.
 */
export async function writeStackFile(choice: PulumiChoice, choices: Choices): Promise<void> {
  const document = YAML.parse(readFileSync(committedFile, "utf8")) as StackDocument;
  if (choices.chartPath !== undefined)
    document.config["anchorhold:chart"] = { path: choices.chartPath };
  if (choices.images !== undefined) document.config["anchorhold:images"] = choices.images;
  const encryptionsalt = document.encryptionsalt ?? knownSalt() ?? (await makeStack(choice));
  const text = YAML.stringify({ encryptionsalt, ...document });
  const comment =
    "# Written by `npm start` from stacks/Pulumi.local.yaml; edit that one instead.\n";
  writeFileSync(stackFile, comment + text, { mode: 0o600 });
}

function knownSalt(): string | undefined {
  if (!existsSync(stackFile)) return undefined;
  return (YAML.parse(readFileSync(stackFile, "utf8")) as StackDocument).encryptionsalt;
}

/** Makes the stack in a folder of its own: Pulumi writes the salt beside the project it runs in. */
async function makeStack(choice: PulumiChoice): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), "anchorhold-stack-"));
  try {
    writeFileSync(join(cwd, "Pulumi.yaml"), "name: anchorhold\nruntime: nodejs\n");
    const args = ["stack", "init", "local", "--non-interactive", "--color", "never"];
    const made = await pulumi(choice, args, { stdio: "capture", cwd });
    const file = join(cwd, "Pulumi.local.yaml");
    const salt = existsSync(file)
      ? (YAML.parse(readFileSync(file, "utf8")) as Partial<StackDocument>).encryptionsalt
      : undefined;
    if (made.code !== 0 || salt === undefined)
      throw new LocalError(
        `The stack "local" could not be made: ${(made.stderr || made.stdout).trim()}\n` +
          `If it exists but ${stackFile} is lost, put that file back from a backup.`,
      );
    return salt;
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
