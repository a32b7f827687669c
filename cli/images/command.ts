import { publishedImages } from "../../infra/scaffold/images.ts";
import { isMirror, mirrorRule } from "../../infra/scaffold/mirror.ts";
import { CannotRun } from "../errors.ts";
import { copyCommand, copyTools, type CopyTool } from "./copy.ts";
import { imageRows, rowsTable } from "./rows.ts";
import { namedConfig, type ImageConfig, type StackChoice } from "./stack.ts";

export interface ImagesOptions extends StackChoice {
  json: boolean;
  /** A registry reference, or `true`: the stack's own mirror. Then it prints the copy commands. */
  mirror?: string | true;
  tool?: string;
}

/**
 * `anchorhold images`: every image of a stack, or the published ones if no stack is named; with
 * `--mirror` the commands that copy them there.
 * @throws CannotRun for a mirror or tool that is none, and for a stack that cannot be read
 */
export async function images(options: ImagesOptions, out: (text: string) => void): Promise<void> {
  const tool = chosenTool(options);
  const config = (await namedConfig(options)) ?? { images: {} };
  if (options.mirror === undefined) {
    const rows = imageRows(config);
    out(options.json ? JSON.stringify(rows, undefined, 2) : rowsTable(rows));
    return;
  }
  const mirror = chosenMirror(options.mirror, config);
  const wanted = imageRows({ ...config, mirror }).filter(({ fromMirror }) => fromMirror);
  for (const { name } of wanted) out(copyCommand(publishedImages[name], mirror, tool));
  if (wanted.length === 0) out("# Nothing to copy: anchorhold:images names every image itself.");
}

function chosenTool({ tool, mirror, json }: ImagesOptions): CopyTool {
  if (mirror !== undefined && json)
    throw new CannotRun("--mirror prints commands, --json the table: give one of them.");
  if (tool !== undefined && mirror === undefined)
    throw new CannotRun("--tool says how to copy to a mirror: give --mirror as well.");
  const known = copyTools.find((one) => one === (tool ?? "crane"));
  if (known !== undefined) return known;
  throw new CannotRun(`--tool ${tool}: known are ${copyTools.join(", ")}.`);
}

function chosenMirror(given: string | true, config: ImageConfig): string {
  if (given !== true) {
    if (isMirror(given)) return given;
    throw new CannotRun(`--mirror ${given}: ${mirrorRule}.`);
  }
  if (config.mirror !== undefined) return config.mirror;
  throw new CannotRun(
    "There is no mirror: name one (--mirror registry.example.com/sigstore), or a stack that has " +
      "anchorhold:mirror (--stack or --file).",
  );
}
