import { Command, InvalidArgumentError } from "commander";
import type { DoctorOptions } from "./doctor/command.ts";
import { exitCode } from "./exit.ts";
import type { ImagesOptions } from "./images/command.ts";
import type { RotateOptions } from "./rotate/command.ts";
import type { BackupOptions } from "./backup/command.ts";
import type { ObserveOptions } from "./observe/command.ts";
import type { RecoverOptions } from "./recover/command.ts";
import type { RestoreOptions } from "./restore/command.ts";
import type { TreeOptions } from "./trillian/command.ts";
import type { VerifyOptions } from "./verify/command.ts";

/** Where a command writes and how it tells the process's exit code; tests pass their own. */
export interface Terminal {
  out(text: string): void;
  setExitCode(code: number): void;
}

/**
 * The command line. Commands are loaded when they are used, so that `--help` is instant. Bad
 * arguments end as a CommanderError, everything else that stops a command as a thrown Error.
 */
export function buildProgram(terminal: Terminal): Command {
  const program = new Command("anchorhold")
    .description("A private Sigstore that you can upgrade without losing trust")
    .exitOverride()
    .showHelpAfterError("(see --help)");
  addVerify(program, terminal);
  addDoctor(program, terminal);
  addToken(program, terminal);
  addImages(program, terminal);
  addRotate(program, terminal);
  addTree(program, terminal);
  addObserve(program, terminal);
  addRecover(program, terminal);
  addBackup(program, terminal);
  addRestore(program, terminal);
  return program;
}

function addVerify(program: Command, terminal: Terminal): void {
  program
    .command("verify")
    .description(
      "Ask every endpoint of a deployed stack, compare with its records, then sign and verify",
    )
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .option("--outputs <file>", "read the stack's outputs from this JSON file instead")
    .option(
      "--identity-token-file <file>",
      "sign with the OIDC token in this file (else SIGSTORE_ID_TOKEN, else the cluster's own)",
    )
    .option("--json", "print JSON for pipelines", false)
    .option("--timeout <seconds>", "limit for one check", seconds, 30)
    .addHelpText(
      "after",
      "\nExit code: 0 all is well (warnings included), 1 a check failed, 2 could not check.",
    )
    .action(async (options: VerifyOptions) => {
      const { verify } = await import("./verify/command.ts");
      const passed = await verify(options, (text) => terminal.out(text));
      terminal.setExitCode(passed ? exitCode.ok : exitCode.checkFailed);
    });
}

function addDoctor(program: Command, terminal: Terminal): void {
  program
    .command("doctor")
    .description(
      "Compare state, cluster and what is served; name each fault, its cause and the command",
    )
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .option("--state <file>", "read the state from this file (pulumi stack export) instead")
    .option("--fix", "mend what the state can mend; makes no key", false)
    .option("--json", "print JSON for pipelines", false)
    .addHelpText("after", "\nExit code: 0 healthy (warnings included), 1 faults, 2 could not look.")
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import("./doctor/command.ts");
      const healthy = await doctor(options, {
        out: (text) => terminal.out(text),
        note: (text) => console.error(text),
      });
      terminal.setExitCode(healthy ? exitCode.ok : exitCode.checkFailed);
    });
}

function addToken(program: Command, terminal: Terminal): void {
  program
    .command("token")
    .description(
      "Print a ten-minute identity token of the stack's probe, where the cluster is an issuer",
    )
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .option("--outputs <file>", "read the stack's outputs from this JSON file instead")
    .action(async ({ outputs: file, stack }: { outputs?: string; stack?: string }) => {
      const { readOutputs } = await import("./verify/outputs.ts");
      const { identityToken } = await import("./verify/token.ts");
      terminal.out(await identityToken({}, await readOutputs({ file, stack })));
    });
}

function addImages(program: Command, terminal: Terminal): void {
  program
    .command("images")
    .description("Print every image of a stack, or the commands that copy them to a mirror")
    .option(
      "-s, --stack <name>",
      "the Pulumi stack (default: PULUMI_STACK, else what is published)",
    )
    .option("--file <file>", "read this stack file instead; needs no Pulumi")
    .option("--mirror [registry]", "print the copy commands (default: to the stack's own mirror)")
    .option("--tool <name>", "with --mirror: crane or skopeo (default: crane)")
    .option("--json", "print JSON for pipelines", false)
    .addHelpText("after", "\nThe table and the commands are the program's own: docs/images.md.")
    .action(async (options: ImagesOptions) => {
      const { images } = await import("./images/command.ts");
      await images(options, (text) => terminal.out(text));
    });
}

function addRotate(program: Command, terminal: Terminal): void {
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
      const { rotate } = await import("./rotate/command.ts");
      const { terminalAsk } = await import("./ask.ts");
      const screen = { out: (text: string) => terminal.out(text), ask: terminalAsk() };
      const passed = await rotate(kind, options, screen);
      terminal.setExitCode(passed ? exitCode.ok : exitCode.checkFailed);
    });
}

function addTree(program: Command, terminal: Terminal): void {
  program
    .command("tree", { hidden: true })
    .description("Trillian trees; used by the Pulumi program")
    .command("create")
    .description('Find or make the tree of a log and print {"treeId":"…"}')
    .requiredOption("--name <name>", "display name, at most 20 characters")
    .requiredOption("--description <text>", "unique description, by which the tree is found again")
    .option("--address <host:port>", "the Trillian log server's gRPC address")
    .option("--port-forward <namespace/service:port>", "reach it through the Kubernetes API")
    .option("--context <name>", "the kubeconfig's context, with --port-forward")
    .option("--timeout <seconds>", "how long to wait for the server", seconds, 120)
    .action(async (options: TreeOptions) => {
      const { createTree } = await import("./trillian/command.ts");
      await createTree(options, (line) => terminal.out(line));
    });
}

function addObserve(program: Command, terminal: Terminal): void {
  program
    .command("observe", { hidden: true })
    .description(
      "Wait until every replica serves what EXPECT__… variables say; used by the program",
    )
    .option("--timeout <seconds>", "how long to wait", seconds, 180)
    .action(async (options: ObserveOptions) => {
      const { observe } = await import("./observe/command.ts");
      await observe(options, (line) => terminal.out(line));
    });
}

function addRecover(program: Command, terminal: Terminal): void {
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
      const { recover } = await import("./recover/command.ts");
      const done = await recover(options, (text) => terminal.out(text));
      terminal.setExitCode(done ? exitCode.ok : exitCode.checkFailed);
    });
}

function generation(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("Give a generation's number.");
  return Number(text);
}

/** RFC 3339 with its zone: a local time would be another one in a pipeline. */
function time(text: string): Date {
  const value = new Date(text);
  if (!/T.*(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(value.getTime()))
    throw new InvalidArgumentError("Give a time with its zone, such as 2026-05-01T00:00:00Z.");
  return value;
}

const passphraseHelp =
  "\nThe passphrase is read from the file that ANCHORHOLD_BACKUP_PASSPHRASE_FILE names, else from " +
  "ANCHORHOLD_BACKUP_PASSPHRASE.";

function addBackup(program: Command, terminal: Terminal): void {
  program
    .command("backup <file>")
    .description("Write the stack's state and its logs' database into one encrypted file")
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .addHelpText("after", passphraseHelp)
    .action(async (file: string, options: BackupOptions) => {
      const { backup } = await import("./backup/command.ts");
      await backup(file, options, (text) => terminal.out(text));
    });
}

function addRestore(program: Command, terminal: Terminal): void {
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
      const { restore } = await import("./restore/command.ts");
      const passed = await restore(file, options, (text) => terminal.out(text));
      terminal.setExitCode(passed ? exitCode.ok : exitCode.checkFailed);
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 3600) {
    throw new InvalidArgumentError("Give whole seconds, 1 to 3600.");
  }
  return value;
}
