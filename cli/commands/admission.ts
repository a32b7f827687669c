import type { Command } from "commander";
import type { AdmissionOptions } from "../admission/command.ts";
import { also } from "./arguments.ts";
import type { Terminal } from "./terminal.ts";

export function addAdmission(program: Command, terminal: Terminal): void {
  program
    .command("admission")
    .description("Print what policy-controller needs to admit only signed images, as YAML")
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .option("--outputs <file>", "read the stack's outputs from this JSON file instead")
    .option("--image <glob>", "images that the policy is for; may be repeated", also)
    .option("--signer <issuer-and-subject>", '"ISSUER SUBJECT" who may sign; may be repeated', also)
    .option(
      "--signer-regexp <issuer-and-regexp>",
      '"ISSUER REGEXP" of whole subjects; may be repeated',
      also,
    )
    .option("--name <name>", "the policy's name (default: PREFIX-signed)")
    .option("--warn", "admit what the policy refuses, with a warning")
    .option("--mirror <url>", "where the cluster reaches the mirror (default: the stack's URL)")
    .option("--air-gapped", "put the served TUF repository into the TrustRoot")
    .option(
      "--controller-root",
      "instead of a TrustRoot: policies of a policy-controller that has the mirror as its own root",
    )
    .option("--namespace <name>", "policy-controller's (default: cosign-system)")
    .addHelpText("after", "\nFor `kubectl apply --server-side -f -`: docs/admission.md.")
    .action(async (options: AdmissionOptions) => {
      const { printAdmission } = await import("../admission/command.ts");
      await printAdmission(options, (text) => terminal.out(text));
    });
}
