import type { Command } from "commander";
import type { RecoverOptions } from "../recover/command.ts";
import type { RotateOptions } from "../rotate/command.ts";
import { exitCode } from "../exit.ts";
import { generation, seconds, time } from "./arguments.ts";
import type { Terminal } from "./terminal.ts";

export function addRotate(program: Command, terminal: Terminal): void {
  program
    .command("rotate")
    .description(
      "Take the next step in the life of a kind's generations: edit, preview, ask, deploy",
    )
    .argument("<kind>", "fulcioCa or ctLog")
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .option("--file <file>", "the stack file to edit (default: stacks/Pulumi.<stack>.yaml)")
    .option("--back", "use the generation before again, while it is draining")
    .option(
      "--distrust <generation>",
      "trust nothing that a stolen key made from a time on",
      generation,
    )
    .option("--from <time>", "with --distrust: that time, such as 2026-05-01T00:00:00Z", time)
    .option("--dry-run", "show edit and preview alone")
    .option("--yes", "do not ask")
    .option(
      "--timeout <seconds>",
      "limit for one check of the verification at the end",
      seconds,
      30,
    )
    .addHelpText(
      "after",
      "\nOne step a run; docs/rotation.md has them all. Exit code: 0 deployed or not yet time, " +
        "1 deployed but a check failed, 2 refused, declined or failed.",
    )
    .action(async (kind: string, options: RotateOptions) => {
      const { rotate } = await import("../rotate/command.ts");
      const { terminalAsk } = await import("../ask.ts");
      const screen = { out: (text: string) => terminal.out(text), ask: terminalAsk() };
      const passed = await rotate(kind, options, screen);
      terminal.setExitCode(passed ? exitCode.ok : exitCode.checkFailed);
    });
}

export function addRecover(program: Command, terminal: Terminal): void {
  program
    .command("recover")
    .description("After a killed update: free the stack and take back what is left half done")
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .option("-y, --yes", "repair without asking", false)
    .option("--owner-is-gone", "I have seen that no update runs where the lock was taken", false)
    .addHelpText(
      "after",
      "\nWithout a terminal and without --yes it only tells what it would do." +
        "\nExit code: 0 nothing is left to do, 1 something is, 2 the owner of the lock may live.",
    )
    .action(async (options: RecoverOptions) => {
      const { recover } = await import("../recover/command.ts");
      const done = await recover(options, (text) => terminal.out(text));
      terminal.setExitCode(done ? exitCode.ok : exitCode.checkFailed);
    });
}
