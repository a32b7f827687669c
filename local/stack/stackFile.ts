import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as YAML from "yaml";
import type { Spaces } from "../../cli/rbac/manifests.ts";
import { LocalError } from "../errors.ts";
import { knownChoices, type Choices } from "./choices.ts";
import { committedFile, readYaml, type ChartReference } from "./committed.ts";
import { choicesFile, stackFile } from "./environment.ts";
import { rotatedHere, type GenerationLines, type TrustLines } from "./generations.ts";
import { pulumi } from "./pulumi.ts";
import type { PulumiChoice } from "./toolchain.ts";

/**
 * Writes the configuration that is deployed here: the committed file, read anew each time, with
 * what this machine chose where that file leaves the choice. The checkout itself stays as it is.
 */
export async function writeStackFile(
  choice: PulumiChoice,
  choices: Omit<Choices, "trust">,
): Promise<void> {
  const salt = knownSalt() ?? (await makeStack(choice));
  const trust = knownChoices()?.trust;
  saveChoices({ ...choices, ...(trust === undefined ? {} : { trust }) }, salt);
}

/** Brings an edit of the committed file into the one that is deployed, with the choices kept. */
export function refreshStackFile(): void {
  const salt = knownSalt();
  const choices = knownChoices();
  if (salt !== undefined && choices !== undefined) writeMerged(choices, salt);
}

/** The lines of `anchorhold:trust` for one kind, as they are deployed here. */
export function deployedGenerations(kind: string): GenerationLines {
  const trust = readYaml(stackFile).config["anchorhold:trust"] as TrustLines;
  return trust[kind] ?? {};
}

/**
 * From now on a kind has these generations here, as long as the committed file names fewer.
 * @throws LocalError before the first `npm start`, and when the committed file says otherwise
 */
export function chooseGenerations(kind: string, generations: GenerationLines): void {
  const salt = knownSalt();
  const choices = knownChoices();
  if (salt === undefined || choices === undefined)
    throw new LocalError(`${stackFile} is not there yet. Run: npm start`);
  saveChoices({ ...choices, trust: { ...choices.trust, [kind]: generations } }, salt);
  if (!isDeepStrictEqual(deployedGenerations(kind), generations))
    throw new LocalError(`${committedFile} names every generation of ${kind}: rotate it there.`);
}

/** Which namespaces the stack has here; readable before it is deployed. */
export function configuredSpaces(): Spaces {
  const { merged } = mergedConfig(knownChoices() ?? {});
  const { rekor = {} } = merged["anchorhold:trust"] as TrustLines;
  return {
    prefix: String(merged["anchorhold:prefix"]),
    rekor: Object.keys(rekor).map(Number),
    quota: merged["anchorhold:quota"] !== undefined,
    monitoring: merged["anchorhold:monitoring"] !== "none",
  };
}

function saveChoices(choices: Choices, encryptionsalt: string): void {
  replaceFile(choicesFile, JSON.stringify(choices, undefined, 2));
  writeMerged(choices, encryptionsalt);
}

function writeMerged(choices: Choices, encryptionsalt: string): void {
  const { merged, rotated } = mergedConfig(choices);
  const comment =
    "# Written by `npm start` from stacks/Pulumi.local.yaml; edit that one instead.\n" +
    (rotated.length === 0 ? "" : `# Rotated here, so not from there: ${rotated.join(", ")}.\n`);
  const text = pulumiYaml({ encryptionsalt, config: merged });
  replaceFile(stackFile, comment + text);
}

/** The committed configuration with what was chosen here, and the kinds that were rotated here. */
function mergedConfig(choices: Choices) {
  const { config } = readYaml(committedFile);
  const trust = config["anchorhold:trust"] as TrustLines | undefined;
  const own = rotatedHere(trust, choices.trust);
  const chart = config["anchorhold:chart"];
  const ownImages = config["anchorhold:images"] as Record<string, string> | undefined;
  const merged = {
    ...config,
    "anchorhold:chart": isFolder(chart) ? chart : chosenChart(chart, choices),
    "anchorhold:images": { ...choices.images, ...ownImages },
    ...surroundings(config["anchorhold:networkPolicies"], choices),
    ...(isEmpty(own) ? {} : { "anchorhold:trust": { ...trust, ...own } }),
  };
  return { merged: merged as Record<string, unknown>, rotated: Object.keys(own) };
}

function chosenChart(committed: unknown, { chartPath, chartRepository }: Choices): unknown {
  if (chartPath !== undefined) return { path: chartPath };
  if (chartRepository === undefined) return committed;
  return { ...(committed as ChartReference), repository: chartRepository };
}

function surroundings(committed: unknown, { apiServerPort }: Choices) {
  if (apiServerPort === undefined || committed !== undefined) return {};
  return { "anchorhold:networkPolicies": { apiServer: { ports: [apiServerPort, 443] } } };
}

/** For Pulumi, which reads YAML 1.1: a time without quotes would not arrive as the text that it is. */
export const pulumiYaml = (document: object): string =>
  YAML.stringify(document, { version: "1.1" });

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

const isFolder = (chart: unknown): boolean =>
  typeof chart === "object" && chart !== null && "path" in chart;

function knownSalt(): string | undefined {
  return existsSync(stackFile) ? readYaml(stackFile).encryptionsalt : undefined;
}

/** Makes the stack in a folder of its own: Pulumi writes the salt beside the project it runs in. */
async function makeStack(choice: PulumiChoice): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), "anchorhold-stack-"));
  try {
    writeFileSync(join(cwd, "Pulumi.yaml"), "name: anchorhold\nruntime: nodejs\n");
    const args = ["stack", "init", "local", "--non-interactive", "--color", "never"];
    const made = await pulumi(choice, args, { stdio: "capture", cwd });
    const file = join(cwd, "Pulumi.local.yaml");
    const salt = existsSync(file) ? readYaml(file).encryptionsalt : undefined;
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

/** At once, because one command may start several others, which all read the file. */
function replaceFile(path: string, text: string): void {
  const whole = `${path}.${process.pid}`;
  writeFileSync(whole, text, { mode: 0o600 });
  renameSync(whole, path);
}
