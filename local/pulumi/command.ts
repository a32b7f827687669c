import { spawn } from "node:child_process";
import { changes, detailedDiff } from "./diff.ts";
import { randomName } from "./names.ts";
import type { CreateRequest, DeleteRequest, Plugin, State, UpdateRequest } from "./plugin.ts";
import {
  containsSecret,
  mapProps,
  objectAt,
  plainProps,
  secret,
  textAt,
  UNKNOWN,
  type Props,
  type Value,
} from "./values.ts";

/** How a command is run: program and arguments, environment, directory, standard input. */
interface Invocation {
  argv: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  stdin: string;
}

/** The settings of the process that would run the official plugin. */
export interface CommandSettings {
  env: NodeJS.ProcessEnv;
  /** The directory of commands that name none: the program's. */
  directory: string;
}

const DEFAULT_INTERPRETER = ["/bin/sh", "-c"];

/** Previous outputs as environment, unless they are empty or the program declined them. */
function previousOutputs(inputs: Props, olds: Props): NodeJS.ProcessEnv {
  if (inputs["addPreviousOutputInEnv"] === false) return {};
  const stdout = textAt(olds, "stdout");
  const stderr = textAt(olds, "stderr");
  return {
    ...(stdout && { PULUMI_COMMAND_STDOUT: stdout }),
    ...(stderr && { PULUMI_COMMAND_STDERR: stderr }),
  };
}

function invocation(
  command: string,
  inputs: Props,
  olds: Props,
  settings: CommandSettings,
): Invocation {
  const interpreter = inputs["interpreter"];
  const argv = Array.isArray(interpreter) && interpreter.length > 0 ? interpreter : undefined;
  return {
    argv: [...((argv as string[] | undefined) ?? DEFAULT_INTERPRETER), command],
    env: {
      ...settings.env,
      ...(objectAt(inputs, "environment") as Record<string, string>),
      ...previousOutputs(inputs, olds),
    },
    cwd: textAt(inputs, "dir") || settings.directory,
    stdin: textAt(inputs, "stdin"),
  };
}

/** Which of the two streams go to the console of `pulumi`. */
function logged(inputs: Props, stream: "stdout" | "stderr"): boolean {
  const logging = textAt(inputs, "logging") || "stdoutAndStderr";
  return logging === "stdoutAndStderr" || logging === stream;
}

const withoutNewline = (text: string): string => text.replace(/\n$/, "");

/** Go's words for how a process ended, as the official plugin prints them. */
function ending(code: number | null, signal: NodeJS.Signals | null): string {
  return code === null ? `signal: ${signal ?? "unknown"}` : `exit status ${code}`;
}

/** Runs one command to its end; a failure carries its text and both of its outputs. */
function run(
  { argv, env, cwd, stdin }: Invocation,
  log: (stream: "stdout" | "stderr", line: string) => void,
  children: Set<ReturnType<typeof spawn>>,
): Promise<{ stdout: string; stderr: string }> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { env, cwd, stdio: ["pipe", "pipe", "pipe"], detached: true });
  children.add(child);
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[], both: [] as Buffer[] };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].on("data", (chunk: Buffer) => {
      chunks[stream].push(chunk);
      chunks.both.push(chunk);
      for (const line of withoutNewline(chunk.toString()).split("\n")) log(stream, line);
    });
  }
  // A command that does not read its input may close the pipe before all is written.
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const text = (part: Buffer[]): string => Buffer.concat(part).toString();
  return new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(new Error(`${error.message}: running ${JSON.stringify(argv.at(-1))}:\n`)),
    );
    child.once("close", (code, signal) => {
      children.delete(child);
      if (code === 0) {
        const [stdout, stderr] = [text(chunks.stdout), text(chunks.stderr)].map(withoutNewline);
        resolve({ stdout: stdout ?? "", stderr: stderr ?? "" });
      } else {
        const command = JSON.stringify(argv.at(-1));
        reject(new Error(`${ending(code, signal)}: running ${command}:\n${text(chunks.both)}`));
      }
    });
  });
}

class CommandPlugin {
  private readonly settings: CommandSettings;
  private readonly children = new Set<ReturnType<typeof spawn>>();

  constructor(settings: CommandSettings) {
    this.settings = settings;
  }

  private async execute(
    command: string,
    inputs: Props,
    olds: Props,
    log: (text: string) => void,
  ): Promise<Props> {
    if (command === "") return { stdout: textAt(olds, "stdout"), stderr: textAt(olds, "stderr") };
    return run(
      invocation(command, inputs, olds, this.settings),
      (stream, line) => {
        if (logged(inputs, stream)) log(line);
      },
      this.children,
    );
  }

  async create(request: CreateRequest): Promise<State> {
    const id = randomName(request.name, 8);
    if (request.preview) return { id, outputs: previewOutputs(request.inputs) };
    const inputs = plainProps(request.inputs);
    const outputs = await this.execute(textAt(inputs, "create"), inputs, {}, request.log);
    return { id, outputs: withSecrets(request.inputs, outputs) };
  }

  async update(request: UpdateRequest): Promise<Props> {
    if (request.preview) return previewOutputs(request.inputs);
    const [inputs, olds] = [plainProps(request.inputs), plainProps(request.olds)];
    const command = textAt(inputs, "update") || textAt(inputs, "create");
    return withSecrets(request.inputs, await this.execute(command, inputs, olds, request.log));
  }

  async delete(request: DeleteRequest): Promise<void> {
    const olds = plainProps(request.olds);
    const command = textAt(olds, "delete");
    if (command !== "") await this.execute(command, olds, olds, request.log);
  }

  /** Ends each command with all that it has started; they lead process groups of their own. */
  cancel(): void {
    for (const { pid, exitCode, signalCode } of this.children) {
      // One that has ended may still be on the list: its number could be another's by now.
      const runs = exitCode === null && signalCode === null;
      if (runs && pid !== undefined) process.kill(-pid, "SIGKILL");
    }
  }
}

/** Every output depends on every input: one secret input makes all of them secret. */
function withSecrets(inputs: Props, outputs: Props): Props {
  const tainted = Object.values(inputs).some(containsSecret);
  const mark = (value: Value): Value => (tainted ? secret(value) : value);
  return { ...inputs, ...mapProps(outputs, mark) };
}

function previewOutputs(inputs: Props): Props {
  return { ...inputs, stdout: UNKNOWN, stderr: UNKNOWN };
}

/** Stand-in for pulumi-command: `local.Command`, without assets and archives. */
export function commandPlugin(settings: CommandSettings): Plugin {
  const plugin = new CommandPlugin(settings);
  return {
    name: "command",
    diffConfig: "unimplemented",
    accepts: { secrets: true, outputs: true },
    checkConfig: (news) => ({ ...news, "__pulumi-go-provider-version": "v1.5.0" }),
    check: ({ news, type }) => {
      if (type !== "command:local:Command") {
        throw new Error(`The stand-in plugin has command:local:Command, not ${type}.`);
      }
      return { inputs: news };
    },
    diff: ({ oldInputs, news, ignoreChanges }) => {
      const detailed = detailedDiff(
        changes(plainProps(oldInputs), plainProps(news)),
        [],
        ignoreChanges,
      );
      const diffs = [...new Set(Object.keys(detailed).map((path) => path.split(/[.[]/)[0] ?? ""))];
      return { changes: diffs.length > 0, diffs, detailed, hasDetailed: true };
    },
    create: (request) => plugin.create(request),
    update: (request) => plugin.update(request),
    // A command has nothing to look at: refresh keeps what is there.
    read: ({ id, olds, inputs }) => Promise.resolve({ id, outputs: olds, inputs }),
    delete: (request) => plugin.delete(request),
    cancel: () => plugin.cancel(),
  };
}
