import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseDocument } from "yaml";
import type { GenerationLines } from "../../../local/stack/generations.ts";
import { stackFile } from "../../../local/stack/environment.ts";
import { chooseGenerations, deployedGenerations } from "../../../local/stack/stackFile.ts";
import type { Run } from "./process.ts";
import { projectRoot, pulumi } from "./stack.ts";

/** Values of the stack's configuration while it is rotated, by name without the project's. */
export type Settings = Readonly<Record<string, unknown>>;

/** Edits the generations of the local stack; what was rotated stays so after the test. */
export class Rotation {
  private readonly settings: Settings;
  private readonly file = join(tmpdir(), `anchorhold-rotation-${process.pid}.yaml`);

  /** @param settings in place of the stack's own, until `restore` */
  constructor(settings: Settings) {
    this.settings = settings;
  }

  /** The lines of a kind as they are deployed. */
  lines(kind: string): GenerationLines {
    return deployedGenerations(kind);
  }

  /** Brings in the settings alone. */
  async begin(): Promise<void> {
    await this.edit();
    mustPass(await this.up());
  }

  /** Deploys a kind's lines. */
  async deploy(kind: string, lines: GenerationLines): Promise<void> {
    const before = this.lines(kind);
    // Kept first: an update that dies half way may have made the keys already.
    chooseGenerations(kind, lines);
    await this.edit();
    const run = await this.up();
    if (/nothing was changed/i.test(run.stdout + run.stderr) && run.code !== 0)
      chooseGenerations(kind, before);
    mustPass(run);
  }

  /**
   * Begins to deploy a kind's lines and kills the update, with all of its processes, a moment after
   * its output says `when`.
   * @returns whether the update was killed; false when it ended before
   */
  async killed(kind: string, lines: GenerationLines, when: RegExp, delay = 0): Promise<boolean> {
    chooseGenerations(kind, lines);
    await this.edit();
    const args = ["up", "--yes", "--skip-preview", "--config-file", this.file];
    const update = spawn(process.execPath, ["local/cli.ts", "pulumi", ...args], {
      cwd: projectRoot,
      detached: true, // a process group of its own, which is killed as one
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = once(update, "close");
    let seen = "";
    const said = new Promise<void>((resolve) => {
      // Read to the end: a closed pipe would end the update before the kill does.
      update.stdout.setEncoding("utf8").on("data", (text: string) => {
        seen += text;
        if (when.test(seen)) resolve();
      });
    });
    await Promise.race([said, ended]);
    if (!when.test(seen)) throw new Error(`the update never said ${String(when)}:\n${seen}`);
    await Promise.race([sleep(delay), ended]);
    const lives = update.exitCode === null;
    if (lives) process.kill(-update.pid!, "SIGKILL");
    await ended;
    return lives;
  }

  /**
   * Previews a kind's lines, which must be refused because it is too early.
   * @returns the time from which on they are allowed, as the refusal says
   */
  async refusedUntil(kind: string, lines: GenerationLines): Promise<Date> {
    await this.edit(kind, lines);
    const { code, stdout, stderr } = await pulumi("preview", "--config-file", this.file);
    const [, time] =
      /can be (?:active|closed) from (\S+Z) on/.exec(unwrapped(stdout + stderr)) ?? [];
    if (code === 0 || time === undefined)
      throw new Error(`the preview is not refused for being too early:\n${stdout}${stderr}`);
    return new Date(time);
  }

  /** The stack's own settings again, with the generations as they are now. */
  async restore(): Promise<void> {
    await rm(this.file, { force: true });
    mustPass(await pulumi("up", "--yes", "--skip-preview"));
  }

  private up(): Promise<Run> {
    return pulumi("up", "--yes", "--skip-preview", "--config-file", this.file);
  }

  private async edit(kind?: string, lines?: GenerationLines): Promise<void> {
    const document = parseDocument(await readFile(stackFile, "utf8"));
    for (const [name, value] of Object.entries(this.settings))
      document.setIn(["config", `anchorhold:${name}`], document.createNode(value));
    if (kind !== undefined)
      document.setIn(["config", "anchorhold:trust", kind], document.createNode(lines));
    await writeFile(this.file, document.toString());
  }
}

export async function sleepUntil(time: Date): Promise<void> {
  await sleep(Math.max(0, time.getTime() - Date.now()));
}

function mustPass({ code, stdout, stderr }: Run): void {
  if (code !== 0) throw new Error(`the update failed:\n${stdout}${stderr}`);
}

/** Pulumi breaks long messages into lines and indents them. */
const unwrapped = (text: string) => text.replace(/\s+/g, " ");
