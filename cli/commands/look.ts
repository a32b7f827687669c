import type { Command } from "commander";
import type { DoctorOptions } from "../doctor/command.ts";
import type { ImagesOptions } from "../images/command.ts";
import type { RbacOptions } from "../rbac/command.ts";
import type { VerifyOptions } from "../verify/command.ts";
import { exitCode } from "../exit.ts";
import { also, seconds } from "./arguments.ts";
import type { Terminal } from "./terminal.ts";

export function addVerify(program: Command, terminal: Terminal): void {
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
      const { verify } = await import("../verify/command.ts");
      const passed = await verify(options, (text) => terminal.out(text));
      terminal.setExitCode(passed ? exitCode.ok : exitCode.checkFailed);
    });
}

export function addDoctor(program: Command, terminal: Terminal): void {
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
      const { doctor } = await import("../doctor/command.ts");
      const healthy = await doctor(options, {
        out: (text) => terminal.out(text),
        note: (text) => console.error(text),
      });
      terminal.setExitCode(healthy ? exitCode.ok : exitCode.checkFailed);
    });
}

export function addToken(program: Command, terminal: Terminal): void {
  program
    .command("token")
    .description(
      "Print a ten-minute identity token of the stack's probe, where the cluster is an issuer",
    )
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .option("--outputs <file>", "read the stack's outputs from this JSON file instead")
    .action(async ({ outputs: file, stack }: { outputs?: string; stack?: string }) => {
      const { readOutputs } = await import("../verify/outputs.ts");
      const { identityToken } = await import("../verify/token.ts");
      terminal.out(await identityToken({}, await readOutputs({ file, stack })));
    });
}

export function addImages(program: Command, terminal: Terminal): void {
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
      const { images } = await import("../images/command.ts");
      await images(options, (text) => terminal.out(text));
    });
}

export function addRbac(program: Command, terminal: Terminal): void {
  program
    .command("rbac")
    .description("Print the namespaces and the least rights that deploying a stack takes, as YAML")
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .option("--file <file>", "read this stack file (default: stacks/Pulumi.<stack>.yaml)")
    .option(
      "--service-account <namespace/name>",
      "who deploys: a service account; may be repeated",
      also,
    )
    .option("--user <name>", "who deploys: a user; may be repeated", also)
    .option("--group <name>", "who deploys: a group; may be repeated", also)
    .addHelpText("after", "\nFor `kubectl apply -f -`, by an administrator: docs/rbac.md.")
    .action(async (options: RbacOptions) => {
      const { printRights } = await import("../rbac/command.ts");
      await printRights(options, (text) => terminal.out(text));
    });
}
