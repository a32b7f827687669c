import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { fileBackend } from "../../../local/pulumi/backend.ts";
import { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import { runPulumi, type RunOptions, type RunResult } from "../../../local/pulumi/run.ts";
import { ensureTools } from "../../../local/tools/index.ts";
import { readEventLog, type EventLog, type Step } from "./events.ts";

const repository = resolve(import.meta.dirname, "../../..");

export interface EngineOptions {
  /** Folder of the Pulumi project, with its Pulumi.yaml. */
  project: string;
  stack?: string;
  /** The stack's configuration, keys as in Pulumi.<stack>.yaml. */
  config?: Record<string, unknown>;
  /** Default: an empty one. */
  cluster?: MemoryCluster;
  env?: NodeJS.ProcessEnv;
}

/** Who looks on at a command, or ends it; more environment for it. */
export type Watched = Partial<Pick<RunOptions, "witness" | "kill" | "cluster" | "env">>;

/** A resource as the exported state has it. */
export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  protect?: boolean;
  initErrors?: string[];
}

/** What an update was at when it was killed. */
export interface PendingOperation {
  type: string;
  resource: StateResource;
}

export interface ExportedState {
  deployment: { resources?: StateResource[]; pending_operations?: PendingOperation[] };
}

/** How a command of the engine ended. */
export class Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly log: EventLog;

  constructor(result: RunResult, log: EventLog) {
    this.code = result.code;
    this.stdout = result.stdout;
    this.stderr = result.stderr;
    this.log = log;
  }

  /** Steps that do something, in the engine's order; default providers do not count. */
  get changes(): Step[] {
    return this.log.steps
      .filter(({ op }) => !["same", "read", "refresh"].includes(op))
      .filter(({ type }) => !type.startsWith("pulumi:providers:"));
  }

  /** The operations of the resource with this name, in order. */
  ops(name: string): string[] {
    return this.log.steps.filter((step) => step.name === name).map(({ op }) => op);
  }

  get errors(): string[] {
    return this.log.diagnostics
      .filter(({ severity }) => severity === "error")
      .map(({ message }) => message);
  }

  /** The same outcome, if the command succeeded; otherwise its whole output as an error. */
  expectSuccess(): this {
    if (this.code === 0) return this;
    throw new Error(`pulumi exited with ${this.code}\n${this.stdout}\n${this.stderr}`);
  }
}

/**
 * The real Pulumi engine over a project, with a file backend of its own, the stand-in plugins and a
 * cluster in memory. The project's files are linked, so the program is the one in the repository.
 */
export class Engine {
  readonly cluster: MemoryCluster;
  private readonly root: string;
  private readonly stack: string;
  private readonly tools: Record<string, string>;
  private readonly env: NodeJS.ProcessEnv;
  private runs = 0;

  private constructor(root: string, tools: Record<string, string>, options: EngineOptions) {
    this.root = root;
    this.tools = tools;
    this.stack = options.stack ?? "test";
    this.cluster = options.cluster ?? new MemoryCluster();
    this.env = {
      ...process.env,
      PULUMI_HOME: join(root, "home"),
      PULUMI_BACKEND_URL: fileBackend(join(root, "state")),
      PULUMI_CONFIG_PASSPHRASE: "engine test",
      PULUMI_DEBUG_COMMANDS: "true", // for --event-log
      PULUMI_SKIP_UPDATE_CHECK: "true",
      ...options.env,
    };
  }

  /** Makes an empty stack of the project. */
  static async create(options: EngineOptions): Promise<Engine> {
    const tools = await ensureTools(["pulumi", "helm"], () => undefined);
    const root = mkdtempSync(join(tmpdir(), "anchorhold-engine-"));
    mkdirSync(join(root, "state"));
    linkProject(options.project, join(root, "project"));
    const engine = new Engine(root, tools, options);
    engine.writeConfig({});
    const init = ["stack", "init", engine.stack, "--secrets-provider", "passphrase"];
    const result = await engine.pulumi(init);
    if (result.code !== 0) throw new Error(`pulumi stack init failed\n${result.stderr}`);
    engine.setConfig(options.config ?? {});
    return engine;
  }

  /** All that Pulumi writes: the state with its backups and history, its home, the event logs. */
  get folder(): string {
    return this.root;
  }

  /** Replaces the stack's configuration. */
  setConfig(config: Record<string, unknown>): void {
    this.writeConfig(config);
  }

  preview(...args: string[]): Promise<Outcome> {
    return this.command(["preview", ...args]);
  }

  up(...args: string[]): Promise<Outcome> {
    return this.command(["up", "--yes", "--skip-preview", ...args]);
  }

  refresh(...args: string[]): Promise<Outcome> {
    return this.command(["refresh", "--yes", "--skip-preview", ...args]);
  }

  destroy(...args: string[]): Promise<Outcome> {
    return this.command(["destroy", "--yes", "--skip-preview", ...args]);
  }

  /**
   * The state as `pulumi stack export` gives it. Secrets are encrypted, anew at each export; for a
   * comparison of two states let it show them.
   */
  async exportState(
    options: { showSecrets?: boolean } = {},
  ): Promise<{ text: string; state: ExportedState }> {
    const args = ["stack", "export", "--stack", this.stack];
    const { stdout: text } = await this.succeeding([
      ...args,
      ...(options.showSecrets ? ["--show-secrets"] : []),
    ]);
    return { text, state: JSON.parse(text) as ExportedState };
  }

  /** The stack's outputs, secrets in the clear. */
  async stackOutputs(): Promise<Record<string, unknown>> {
    const args = ["stack", "output", "--json", "--show-secrets", "--stack", this.stack];
    return JSON.parse((await this.succeeding(args)).stdout) as Record<string, unknown>;
  }

  /** Any other command of the CLI in the project's folder. */
  pulumi(args: readonly string[], { env, ...watched }: Watched = {}): Promise<RunResult> {
    return runPulumi([...args, "--non-interactive", "--color", "never"], {
      pulumi: this.tools["pulumi"]!,
      helm: this.tools["helm"]!,
      cwd: join(this.root, "project"),
      env: { ...this.env, ...env },
      cluster: this.cluster,
      stdio: "capture",
      ...watched,
    });
  }

  /** A command on the stack, with the log of its events. */
  async command(args: readonly string[], watched?: Watched): Promise<Outcome> {
    const events = join(this.root, `events-${this.runs++}.json`);
    const target = ["--stack", this.stack, "--event-log", events];
    const result = await this.pulumi([...args, ...target], watched);
    const none = { steps: [], failed: [], violations: [], diagnostics: [] };
    return new Outcome(result, existsSync(events) ? readEventLog(events) : none);
  }

  /** Replaces the state; pending operations are dropped, as `pulumi stack import` does. */
  async importState(text: string): Promise<void> {
    const file = join(this.root, "import.json");
    writeFileSync(file, text);
    await this.succeeding(["stack", "import", "--file", file, "--stack", this.stack]);
  }

  /** Takes away the lock that a killed update leaves. */
  async cancel(): Promise<void> {
    await this.succeeding(["cancel", "--yes", "--stack", this.stack]);
  }

  /** Copies the stack's state and configuration to a folder. */
  saveTo(folder: string): void {
    cpSync(join(this.root, "state"), join(folder, "state"), { recursive: true });
    copyFileSync(this.configFile, join(folder, "config.yaml"));
  }

  /** Brings the stack's state and configuration back from such a folder. */
  async restoreFrom(folder: string): Promise<void> {
    const state = join(this.root, "state");
    await rm(state, { recursive: true, force: true });
    cpSync(join(folder, "state"), state, { recursive: true });
    copyFileSync(join(folder, "config.yaml"), this.configFile);
  }

  /**
   * What makes a command of ours that runs Pulumi work on this stack. The plugins are in this
   * process alone, so only Pulumi commands without any can be run so.
   */
  get environment(): Record<string, string> {
    const own = Object.entries(this.env).filter(([name]) => name.startsWith("PULUMI_"));
    return {
      ...(Object.fromEntries(own) as Record<string, string>),
      PULUMI_STACK: this.stack,
      ANCHORHOLD_PULUMI: `${this.tools["pulumi"]!} --cwd ${join(this.root, "project")}`,
    };
  }

  /** The folder of the file backend. */
  get backend(): string {
    return join(this.root, "state");
  }

  /** Removes the stack's files; the cluster in memory goes with the engine. */
  close(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }

  private async succeeding(args: readonly string[]): Promise<RunResult> {
    const result = await this.pulumi(args);
    if (result.code !== 0) throw new Error(`pulumi ${args.join(" ")}\n${result.stderr}`);
    return result;
  }

  /** The stack's configuration. */
  get configFile(): string {
    const project = join(this.root, "project");
    const { stackConfigDir = "." } = parse(readFileSync(join(project, "Pulumi.yaml"), "utf8")) as {
      stackConfigDir?: string;
    };
    return join(project, stackConfigDir, `Pulumi.${this.stack}.yaml`);
  }

  /** Keeps what `stack init` wrote: the salt of the passphrase. */
  private writeConfig(config: Record<string, unknown>): void {
    const path = this.configFile;
    const before = existsSync(path) ? (parse(readFileSync(path, "utf8")) as object) : {};
    // As Pulumi reads it: in YAML 1.1 a time without quotes is no text.
    writeFileSync(path, stringify({ ...before, config }, { version: "1.1" }));
  }
}

/** Links a project's files, but copies what says where configuration lies, and what reads it. */
function linkProject(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (/^Pulumi(\..*)?\.yaml$/.test(name) || name === "stacks") continue;
    // The pack looks for the stack's file beside itself, and where a link leads there is another one.
    if (name === "policies") cpSync(join(from, name), join(to, name), { recursive: true });
    else symlinkSync(join(from, name), join(to, name));
  }
  copyFileSync(join(from, "Pulumi.yaml"), join(to, "Pulumi.yaml"));
  mkdirSync(join(to, "stacks"));
  const modules = join(to, "node_modules");
  if (!existsSync(modules)) symlinkSync(join(repository, "node_modules"), modules);
}
