import { readFileSync } from "node:fs";
import { CannotRun, oneLine } from "../errors.ts";

const variable = "ANCHORHOLD_BACKUP_PASSPHRASE";
/** The file holds every key of the Sigstore: what guards it must not be guessed. */
const shortest = 16;

/**
 * The passphrase of the backup, from the environment or, better, a file that the environment names.
 * @throws CannotRun when there is none, or one that is too short; it never shows the passphrase
 */
export function backupPassphrase(env: NodeJS.ProcessEnv = process.env): string {
  const file = env[`${variable}_FILE`];
  const passphrase = file === undefined ? (env[variable] ?? "") : contentOf(file);
  if (passphrase.length >= shortest) return passphrase;
  throw new CannotRun(
    `${passphrase === "" ? "There is no passphrase for the backup" : "The backup's passphrase is too short"}` +
      `: name a file with at least ${shortest} characters in ${variable}_FILE ` +
      "(openssl rand -base64 32 makes one), and keep it apart from the backup.",
  );
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new CannotRun(`${variable}_FILE ${file}: ${oneLine(error)}`);
  }
}
