import { Command } from "commander";
import { addAdmission } from "./commands/admission.ts";
import { addRecover, addRotate } from "./commands/change.ts";
import { addObserve, addTree } from "./commands/internal.ts";
import { addBackup, addRestore } from "./commands/keep.ts";
import { addDoctor, addImages, addRbac, addToken, addVerify } from "./commands/look.ts";
import { addPreviewComment } from "./commands/pipeline.ts";
import type { Terminal } from "./commands/terminal.ts";

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
  addRbac(program, terminal);
  addAdmission(program, terminal);
  addPreviewComment(program, terminal);
  addRotate(program, terminal);
  addTree(program, terminal);
  addObserve(program, terminal);
  addRecover(program, terminal);
  addBackup(program, terminal);
  addRestore(program, terminal);
  return program;
}
