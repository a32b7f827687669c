import { spawnSync } from "node:child_process";
import type { Manifest } from "../../../infra/scaffold/postrender/manifest.ts";
import { readManifests } from "../../../infra/scaffold/postrender/yaml.ts";
import { ensureTools } from "../../../local/tools/index.ts";
import type { Sample } from "../../support/scaffoldSamples.ts";

/** The project's folder: where Pulumi runs program and plugins, and so Helm's post-renderer. */
export const projectDir = new URL("../../../", import.meta.url).pathname;

/** The helm of ANCHORHOLD_HELM, or the one that `npm start` uses. */
export async function findHelm(): Promise<string> {
  const named = process.env.ANCHORHOLD_HELM;
  if (named !== undefined && named !== "") return named;
  const { helm } = await ensureTools(["helm"], (line) => console.log(line));
  return helm!;
}

/** Renders a Release as Helm would install it, through the post-renderer if one is named. */
export function render(helm: string, chart: string, sample: Sample, postrender?: string) {
  const args = ["template", sample.release, chart, "--namespace", sample.namespace, "-f", "-"];
  if (postrender !== undefined) args.push("--post-renderer", postrender);
  const { status, stdout, stderr } = spawnSync(helm, args, {
    cwd: projectDir,
    input: JSON.stringify(sample.values),
    encoding: "utf8",
    maxBuffer: 16 * 1024 * 1024,
  });
  return { status, stdout, stderr };
}

/**
 * The objects of a Release.
 * @throws with Helm's own words when it fails
 */
export function objects(
  helm: string,
  chart: string,
  sample: Sample,
  postrender?: string,
): Manifest[] {
  const { status, stdout, stderr } = render(helm, chart, sample, postrender);
  if (status !== 0) throw new Error(`helm template ${sample.release}: ${stderr}`);
  return readManifests(stdout);
}
