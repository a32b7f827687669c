import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import * as z from "zod";
import { unpackState } from "../../cli/backup/archive.ts";
import { backupPassphrase } from "../../cli/backup/passphrase.ts";
import type { State } from "../../cli/state.ts";
import { LocalError } from "../errors.ts";
import type { Report } from "../report.ts";
import { passphraseFile } from "./environment.ts";
import type { GenerationLines } from "./generations.ts";
import { handThrough } from "./handThrough.ts";
import { chooseGenerations } from "./stackFile.ts";
import type { PulumiChoice } from "./toolchain.ts";

export interface RestoreOptions {
  /** The backup's file. */
  restore: string;
  nothingSignedSince: boolean;
}

/**
 * The secrets in a backup's state stay encrypted by the passphrase of its stack.
 * @throws LocalError before a new one is made
 */
export function assertPassphrase(): void {
  const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = process.env;
  if (PULUMI_CONFIG_PASSPHRASE !== undefined || PULUMI_CONFIG_PASSPHRASE_FILE !== undefined) return;
  if (existsSync(passphraseFile)) return;
  throw new LocalError(
    `The state in the backup opens with the passphrase of the stack that it was made of: put ` +
      `${passphraseFile} back as it was then.`,
  );
}

/** Restores a backup instead of a first deployment, with the generations that it had. */
export async function restoreStack(
  { restore, nothingSignedSince }: RestoreOptions,
  choice: PulumiChoice,
  report: Report,
): Promise<void> {
  const file = resolve(process.env.INIT_CWD ?? ".", restore);
  const { state } = await unpackState(file, backupPassphrase());
  for (const [kind, lines] of Object.entries(generationsOf(state)))
    if (Object.keys(lines).length > 1) chooseGenerations(kind, lines);
  report(`Restoring: anchorhold restore ${file}`);
  const flags = nothingSignedSince ? ["--nothing-signed-since"] : [];
  const args = ["cli/main.ts", "restore", file, "--yes", ...flags];
  const code = await handThrough(process.execPath, args, [dirname(choice.pulumi)]);
  if (code !== 0)
    throw new LocalError(
      "The restore did not go through; what it said stands above. Mend that and run the same command " +
        "again: it goes on from there.",
    );
}

const life = z.record(
  z.string(),
  z.object({
    states: z.record(z.string(), z.string()),
    distrusted: z.record(z.string(), z.object({ from: z.string() })),
  }),
);

/** The lines of `anchorhold:trust` that the state was deployed with, from its outputs. */
export function generationsOf({ deployment }: State): Record<string, GenerationLines> {
  const stack = deployment.resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  const kinds = Object.entries(life.parse(stack?.outputs["life"] ?? {}));
  return Object.fromEntries(
    kinds.map(([kind, { states, distrusted }]) => {
      const lines = Object.entries(states).map(([number, state]) => {
        const stolen = distrusted[number];
        return [number, stolen === undefined ? state : { distrusted: stolen.from }];
      });
      return [kind, Object.fromEntries(lines) as GenerationLines];
    }),
  );
}
