import * as z from "zod";
import { CannotRun, oneLine } from "../../errors.ts";
import type { PulumiResult } from "../../pulumi.ts";
import { commands } from "../diagnose/fault.ts";

/** Runs the Pulumi command line on the stack. */
export type RunPulumi = (args: readonly string[]) => Promise<PulumiResult>;

export interface Step {
  op: string;
  urn: string;
}

const previewed = z.object({
  steps: z.array(z.object({ op: z.string(), urn: z.string() })).default([]),
});

/**
 * Restores what Pulumi manages by `pulumi up --refresh`, but only if that does nothing else: no
 * change that waits in the configuration, and nothing that makes a key.
 * @throws CannotRun when it would, or when it fails
 */
export async function refreshAndUp(run: RunPulumi): Promise<string> {
  refuseChanges(await preview(run, []));
  refuseNewTrust(await preview(run, ["--refresh"]));
  const result = await run(["up", "--refresh", "--yes", "--skip-preview"]);
  if (result.code === 0) return `ran ${commands.refresh}`;
  throw new CannotRun(`${commands.refresh} failed: ${whyFailed(result)}`);
}

async function preview(run: RunPulumi, args: readonly string[]): Promise<Step[]> {
  const result = await run(["preview", "--json", ...args]);
  if (result.code !== 0)
    throw new CannotRun(
      `pulumi preview fails, so nothing was mended with it: ${whyFailed(result)}`,
    );
  return previewed.parse(JSON.parse(result.stdout)).steps;
}

/** Of all that Pulumi prints, what it calls diagnostics. */
function whyFailed({ stdout, stderr }: PulumiResult): string {
  const [, diagnostics] = /^Diagnostics:\n([^]*?)(?=^\S|$(?![^]))/m.exec(stdout) ?? [];
  return oneLine(diagnostics ?? (stderr.trim() || stdout.trim()));
}

const idle = new Set(["same", "read", "refresh"]);

/** @throws CannotRun when the configuration or the program says something that was not deployed */
export function refuseChanges(steps: readonly Step[]): void {
  const waiting = steps.filter(({ op }) => !idle.has(op));
  if (waiting.length === 0) return;
  throw new CannotRun(
    `Changes wait that were not deployed (${briefly(waiting)}), and doctor deploys nothing by the ` +
      `way. Look at pulumi preview, then run ${commands.refresh}.`,
  );
}

/** @throws CannotRun when a key, a tree or a record would be made or replaced */
export function refuseNewTrust(steps: readonly Step[]): void {
  const making = steps.filter(({ op, urn }) => /create|replace|delete/.test(op) && isTrust(urn));
  if (making.length === 0) return;
  throw new CannotRun(
    `${commands.refresh} would make what makes trust (${briefly(making)}): the state has lost it. ` +
      `Restore the state: ${commands.restore}.`,
  );
}

/** A key, a password, a record or a tree. Commands make trees, but those of gates only observe. */
function isTrust(urn: string): boolean {
  const [name = "", types = ""] = urn.split("::").reverse();
  const type = types.split("$").at(-1) ?? "";
  return (
    /^(tls|random):|^pulumi:index:Stash$/.test(type) ||
    (type === "command:local:Command" && !name.endsWith("-observe"))
  );
}

function briefly(steps: readonly Step[]): string {
  const names = steps.slice(0, 3).map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`);
  return [...names, ...(steps.length > 3 ? [`${steps.length - 3} more`] : [])].join(", ");
}
