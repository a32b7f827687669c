import { InvalidArgumentError, type Command } from "commander";
import type { CommentOptions } from "../comment/command.ts";
import type { Terminal } from "./terminal.ts";

export function addPreviewComment(program: Command, terminal: Terminal): void {
  program
    .command("preview-comment <file>")
    .description("Show what `pulumi preview` printed, in the log and in GitLab's merge request")
    .requiredOption("-s, --stack <name>", "the Pulumi stack that was previewed")
    .requiredOption("--exit-code <number>", "how the preview ended", exitCodeOf)
    .addHelpText(
      "after",
      "\nReads GitLab's CI_… variables and ANCHORHOLD_COMMENT_TOKEN: docs/gitlab.md.\n" +
        "Exit code: 0 shown, 2 it holds a secret and is not shown, or GitLab refused the comment.",
    )
    .action(async (file: string, options: CommentOptions) => {
      const { commentPreview } = await import("../comment/command.ts");
      await commentPreview(file, options, process.env, (text) => terminal.out(text));
    });
}

function exitCodeOf(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError("Give an exit code, 0 to 255.");
  return Number(text);
}
