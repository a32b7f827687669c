import * as z from "zod";
import { parseConfig, type Config } from "../../infra/config.ts";
import { CannotRun, oneLine } from "../errors.ts";
import { askPulumi, stackFlag } from "../pulumi.ts";
import { configOf, findStackFile, readStackFile } from "../rotate/stackFile.ts";

/** Whose images: a stack of Pulumi's, or the one that a stack file describes. */
export interface StackChoice {
  stack?: string;
  file?: string;
}

/** The part of a configuration that images depend on; there is no exposure where no stack is named. */
export type ImageConfig = Pick<Config, "images" | "mirror"> & Partial<Pick<Config, "exposure">>;

/**
 * The configuration of the stack that was named, with --file, --stack or PULUMI_STACK; undefined if
 * none was. Pulumi is asked only for a stack by its name: a machine that reaches the registries may
 * have neither Pulumi nor the stack's backend.
 * @throws CannotRun when it cannot be read, with every problem
 */
export async function namedConfig({ stack, file }: StackChoice): Promise<ImageConfig | undefined> {
  if (file !== undefined) {
    const found = await findStackFile({ file });
    return configOf(readStackFile(found).text, found);
  }
  const named = stack ?? process.env.PULUMI_STACK;
  if (named === undefined || named === "") return undefined;
  return deployedConfig(named, await askPulumi(["config", "--json", ...stackFlag(stack)]));
}

/** What `pulumi config --json` prints: values as text, objects as JSON in it. */
const configSchema = z.record(z.string(), z.looseObject({ value: z.string().optional() }));

function deployedConfig(stack: string, text: string): Config {
  const own = Object.entries(configSchema.parse(JSON.parse(text)))
    .filter(([key]) => key.startsWith("anchorhold:"))
    .map(([key, { value = "" }]) => [key.slice("anchorhold:".length), value] as const);
  try {
    return parseConfig(Object.fromEntries(own), `stack ${stack}`);
  } catch (error) {
    throw new CannotRun(oneLine(error));
  }
}
