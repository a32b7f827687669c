#!/usr/bin/env node
import { CommanderError } from "commander";
import { useProxy } from "../infra/observe/network.ts";
import { oneLine } from "./errors.ts";
import { exitCode } from "./exit.ts";
import { buildProgram } from "./program.ts";

const program = buildProgram({
  out: (text) => console.log(text),
  setExitCode: (code) => {
    process.exitCode = code;
  },
});

try {
  useProxy(process.env);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its message or the help that was asked for.
    process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.cannotRun;
  } else {
    console.error(`anchorhold: ${oneLine(error)}`);
    process.exitCode = exitCode.cannotRun;
  }
}
