import type { Command } from "commander";
import type { ObserveOptions } from "../observe/command.ts";
import type { TreeOptions } from "../trillian/command.ts";
import { seconds } from "./arguments.ts";
import type { Terminal } from "./terminal.ts";

export function addTree(program: Command, terminal: Terminal): void {
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
      const { createTree } = await import("../trillian/command.ts");
      await createTree(options, (line) => terminal.out(line));
    });
}

export function addObserve(program: Command, terminal: Terminal): void {
  program
    .command("observe", { hidden: true })
    .description(
      "Wait until every replica serves what EXPECT__… variables say; used by the program",
    )
    .option("--timeout <seconds>", "how long to wait", seconds, 180)
    .action(async (options: ObserveOptions) => {
      const { observe } = await import("../observe/command.ts");
      await observe(options, (line) => terminal.out(line));
    });
}
