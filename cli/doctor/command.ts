import { readFile } from "node:fs/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { loadKubeConfig } from "../../infra/observe/kubeconfig.ts";
import { targetOf } from "../cluster.ts";
import { CannotRun, oneLine } from "../errors.ts";
import { runPulumi, stackFlag } from "../pulumi.ts";
import { findBackend, readLocks } from "../recover/lock.ts";
import { judgeOwner, thisHost } from "../recover/owner.ts";
import { exportState, parseState } from "../state.ts";
import { ObjectApi } from "./api.ts";
import { collect, type Known } from "./collect/index.ts";
import { stackState } from "./collect/state.ts";
import { diagnose } from "./diagnose/index.ts";
import { warnings } from "./diagnose/warnings.ts";
import type { Evidence } from "./evidence.ts";
import { mend, type Mended } from "./fix/index.ts";
import { toJson, toText } from "./report.ts";

export interface DoctorOptions {
  stack?: string;
  /** A file with what `pulumi stack export` prints. */
  state?: string;
  fix: boolean;
  json: boolean;
}

/** What the command writes to. */
export interface DoctorTerminal {
  out(text: string): void;
  /** Progress, for people alone. */
  note(text: string): void;
}

/**
 * `anchorhold doctor`: compares state, cluster and what is served, names each fault by its cause,
 * and with `--fix` mends what the state can mend.
 * @returns true when no fault is left and nothing was refused
 * @throws CannotRun when it could not look
 */
export async function doctor(options: DoctorOptions, terminal: DoctorTerminal): Promise<boolean> {
  const { stack, state: file, fix } = options;
  if (fix && file !== undefined) {
    throw new CannotRun("--fix works on the stack itself: leave out --state.");
  }
  const config = file === undefined ? (await targetOf(stack)).config : loadKubeConfig();
  const known = () => (file === undefined ? askStack(stack) : readStateFile(file));
  const look = async () => collect(await known(), config);
  const found = await look();
  const { evidence, done, refused } = fix
    ? await mendStack(found, { stack, config, look, note: (line) => terminal.note(line) })
    : { evidence: found, done: [], refused: [] };
  const report = { faults: diagnose(evidence), warnings: warnings(evidence), done, refused };
  terminal.out(options.json ? toJson(report) : toText(report));
  return report.faults.length + refused.length === 0;
}

function mendStack(
  found: Evidence,
  {
    stack,
    config,
    look,
    note,
  }: {
    stack: string | undefined;
    config: KubeConfig;
    look: () => Promise<Evidence>;
    note: (line: string) => void;
  },
): Promise<Mended> {
  const running = found.locks.find(({ owner }) => owner !== "dead");
  if (running !== undefined) {
    throw new CannotRun(
      `An update may be running: ${running.why}. Wait for it; nothing was changed.`,
    );
  }
  return mend(found, {
    api: new ObjectApi(config),
    pulumi: (args) =>
      runPulumi([...args, "--non-interactive", ...stackFlag(stack)], { stdio: "capture" }),
    look,
    say: note,
  });
}

async function askStack(stack: string | undefined): Promise<Known> {
  const state = await exportState(stack);
  const { lockFolder } = await findBackend(stack, state);
  const locks = lockFolder === undefined ? [] : readLocks(lockFolder);
  const origin = stack === undefined ? "the selected stack" : `stack ${stack}`;
  return {
    state: stackState(state, origin),
    locks: locks.map((lock) => judgeOwner(lock, thisHost)),
  };
}

async function readStateFile(file: string): Promise<Known> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new CannotRun(`--state ${file}: ${oneLine(error)}`);
  });
  const origin = `the file ${file}`;
  return { state: stackState(parseState(text, origin), origin), locks: [] };
}
