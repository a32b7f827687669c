import { readFile } from "node:fs/promises";
import { outputsSchema, type StackOutputs } from "../../infra/outputs.ts";
import { CannotRun, oneLine } from "../errors.ts";
import { askPulumi, stackFlag } from "../pulumi.ts";

/**
 * The stack's outputs, from a file or from `pulumi stack output --json`.
 * @throws {CannotRun} when there is no such stack, it is not deployed, or the outputs are of
 *   another version of this program
 */
export async function readOutputs(source: {
  file?: string | undefined;
  stack?: string | undefined;
}): Promise<StackOutputs> {
  if (source.file !== undefined) {
    const text = await readFile(source.file, "utf8").catch((error: unknown) => {
      throw new CannotRun(`--outputs ${source.file}: ${oneLine(error)}`);
    });
    return parseOutputs(text, `the file ${source.file}`);
  }
  const stack = source.stack === undefined ? "the selected stack" : `stack ${source.stack}`;
  return parseOutputs(await askOutputs(source.stack), stack);
}

async function askOutputs(stack: string | undefined): Promise<string> {
  try {
    return await askPulumi(["stack", "output", "--json", ...stackFlag(stack)]);
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    throw new CannotRun(
      `${error.message} Select a deployed stack with --stack NAME, or give --outputs FILE.`,
    );
  }
}

/** Reads and checks outputs; `origin` names them in errors. */
export function parseOutputs(text: string, origin: string): StackOutputs {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CannotRun(`${origin} holds no JSON. Give the output of: pulumi stack output --json`);
  }
  if (typeof json === "object" && json !== null && Object.keys(json).length === 0) {
    throw new CannotRun(`${origin} has no outputs: it is not deployed. Run: pulumi up`);
  }
  const parsed = outputsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`);
  throw new CannotRun(
    `${origin} is not from this version of Anchorhold (${problems.join("; ")}). Run: pulumi up`,
  );
}
