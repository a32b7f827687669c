import { kinds } from "../../infra/trust/generations.ts";
import type { Ask } from "../ask.ts";
import { CannotRun } from "../errors.ts";
import { runPulumi, stackFlag } from "../pulumi.ts";
import { verify } from "../verify/command.ts";
import { readOutputs } from "../verify/outputs.ts";
import { HeldEdit } from "./heldEdit.ts";
import { lineDiff } from "./lineDiff.ts";
import { editLines } from "./lines.ts";
import { nextStep } from "./nextStep.ts";
import { distrust, stepBack } from "./otherSteps.ts";
import { configOf, findStackFile, readStackFile, type StackFile } from "./stackFile.ts";
import { rotatable, type Rotatable, type Standing, type Step } from "./standing.ts";
import { stepText, toTable } from "./table.ts";

export interface RotateOptions {
  stack?: string;
  /** The stack file that is edited. */
  file?: string;
  back?: boolean;
  /** Generation number; `from` says since when its key may have been stolen, RFC 3339. */
  distrust?: number;
  from?: Date;
  yes?: boolean;
  dryRun?: boolean;
  /** Seconds for one check of the verification at the end. */
  timeout: number;
}

export interface Screen {
  out(text: string): void;
  /** Undefined where nobody can answer. */
  ask: Ask | undefined;
}

/**
 * `anchorhold rotate KIND`: shows where the generations stand and the next edit of the stack file,
 * previews it, asks, deploys it and verifies the stack. An edit that is not deployed is taken back.
 *
 * @returns false when the stack does not verify afterwards
 * @throws CannotRun when the step is not possible, refused by the preview, declined, or fails
 */
export async function rotate(
  kind: string,
  options: RotateOptions,
  screen: Screen,
): Promise<boolean> {
  const rotating = checked(kind, options, screen);
  const file = await findStackFile(options);
  const standing = await look(rotating, file, options);
  screen.out(`${kind} as ${file.name} has it\n\n${toTable(standing)}\n`);
  const step = chooseStep(standing, options);
  screen.out(stepText(step, standing.now));
  if (step.do === "wait") return true;
  const isDone = await carryOut(step, { kind: rotating, file, options, screen });
  if (!isDone) return true;
  const passed = await verify(
    { ...stackOf(options), json: false, timeout: options.timeout },
    (text) => screen.out(text),
  );
  const after = await look(rotating, file, options);
  screen.out(`\n${toTable(after)}\n\n${stepText(nextStep(after), after.now)}`);
  return passed;
}

const stackOf = ({ stack }: RotateOptions) => (stack === undefined ? {} : { stack });

function checked(kind: string, options: RotateOptions, screen: Screen): Rotatable {
  const rotating = rotatable.find((one) => one === kind);
  if (rotating === undefined) {
    const isKnown = kinds.some((one) => one === kind);
    throw new CannotRun(
      isKnown
        ? `Not yet: this release runs generation 1 of ${kind} alone. It rotates ${rotatable.join(", ")}.`
        : `There is no kind ${kind}. It rotates ${rotatable.join(", ")}.`,
    );
  }
  if ((options.distrust === undefined) !== (options.from === undefined))
    throw new CannotRun("--distrust GENERATION and --from TIME go together.");
  if (options.distrust !== undefined && options.back)
    throw new CannotRun("Give --back or --distrust: each is a step of its own.");
  if (!options.yes && !options.dryRun && screen.ask === undefined)
    throw new CannotRun(
      "There is no terminal to ask on: give --yes to deploy, or --dry-run to look only.",
    );
  return rotating;
}

async function look(kind: Rotatable, file: StackFile, { stack }: RotateOptions): Promise<Standing> {
  const { trust, leadTime } = configOf(readStackFile(file).text, file);
  const outputs = await readOutputs({ stack });
  return {
    life: outputs.life[kind],
    records: outputs.records[kind],
    configured: trust[kind],
    now: new Date(),
    leadTime: leadTime * 1000,
  };
}

function chooseStep(standing: Standing, { back, distrust: stolen, from }: RotateOptions): Step {
  if (stolen !== undefined && from !== undefined) return distrust(standing, stolen, from);
  return back ? stepBack(standing) : nextStep(standing);
}

interface Job {
  kind: Rotatable;
  file: StackFile;
  options: RotateOptions;
  screen: Screen;
}

/** Edits, previews, asks and deploys; false after a dry run. */
async function carryOut(step: Exclude<Step, { do: "wait" }>, job: Job): Promise<boolean> {
  const { file, options, screen } = job;
  const held = step.do === "edit" ? holdEdit(step, job) : undefined;
  try {
    const flags = [...file.flags, ...stackFlag(options.stack)];
    const preview = await runPulumi(["preview", "--diff", ...flags], { stdio: "inherit" });
    if (preview.code !== 0)
      throw new CannotRun(
        `The preview failed; what Pulumi said stands above. ${file.name} is as it was.`,
      );
    if (options.dryRun) {
      screen.out(`Dry run: nothing was deployed, ${file.name} is as it was.`);
      return false;
    }
    if (!options.yes && !(await screen.ask?.("Deploy this?")))
      throw new CannotRun(`Declined: nothing was deployed, ${file.name} is as it was.`);
    held?.keep();
    await deploy(flags, job);
    return true;
  } finally {
    held?.putBack();
  }
}

function holdEdit({ edit }: Extract<Step, { do: "edit" }>, { kind, file, screen }: Job): HeldEdit {
  const { bytes, text } = readStackFile(file);
  const edited = editLines(text, kind, edit);
  screen.out(`\n${file.name}:\n${lineDiff(text, edited)}\n`);
  return new HeldEdit(file.path, bytes, edited);
}

async function deploy(flags: readonly string[], { kind, file }: Job): Promise<void> {
  const args = ["up", "--yes", "--skip-preview", "--suppress-outputs", ...flags];
  const { code } = await runPulumi(args, { stdio: "inherit" });
  if (code !== 0)
    throw new CannotRun(
      `The update failed; what Pulumi said stands above. What served before goes on serving. The edit ` +
        `stays in ${file.name}, because parts of it may be deployed: mend the cause and run anchorhold ` +
        `rotate ${kind} again, which finishes this step.`,
    );
}
