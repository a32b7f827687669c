import type { Command } from "commander";
import type { BackupOptions } from "../backup/command.ts";
import type { RestoreOptions } from "../restore/command.ts";
import { exitCode } from "../exit.ts";
import type { Terminal } from "./terminal.ts";

const passphraseHelp =
  "\nThe passphrase is read from the file that ANCHORHOLD_BACKUP_PASSPHRASE_FILE names, else from " +
  "ANCHORHOLD_BACKUP_PASSPHRASE.";

export function addBackup(program: Command, terminal: Terminal): void {
  program
    .command("backup <file>")
    .description("Write the stack's state and its logs' database into one encrypted file")
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .addHelpText("after", passphraseHelp)
    .action(async (file: string, options: BackupOptions) => {
      const { backup } = await import("../backup/command.ts");
      await backup(file, options, (text) => terminal.out(text));
    });
}

export function addRestore(program: Command, terminal: Terminal): void {
  program
    .command("restore <file>")
    .description("The same Sigstore in another, empty cluster, from a backup")
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .option("-y, --yes", "go ahead without asking", false)
    .option("--nothing-signed-since", "I know that nothing was signed after the backup", false)
    .addHelpText(
      "after",
      `${passphraseHelp}\nExit code: 0 restored and verified, 1 a check failed or nobody agreed, 2 could not.`,
    )
    .action(async (file: string, options: RestoreOptions) => {
      const { restore } = await import("../restore/command.ts");
      const passed = await restore(file, options, (text) => terminal.out(text));
      terminal.setExitCode(passed ? exitCode.ok : exitCode.checkFailed);
    });
}
