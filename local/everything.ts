// All that a node built here needs, in the order that takes the least time.
import { ensureImages, type ImageName, type LocalImage } from "./images/index.ts";
import type { Report } from "./report.ts";
import type { RungOf } from "./ladder/rungs.ts";
import { ensurePackages, ensureTools, toolNames } from "./tools/index.ts";

/** Absolute paths of the tools, and the images, by name. */
export interface Everything {
  tools: Record<string, string>;
  images: Record<ImageName, LocalImage>;
}

/**
 * Makes sure that every Debian package, tool and image is there. Downloads overlap with
 * compiling; the longest builds are first in the queue for cores.
 * @param pulumi where the Pulumi command line comes from
 * @throws LocalError naming the thing, the cause and the remedy; what was finished is kept
 */
export async function ensureEverything(
  pulumi: RungOf<"pulumi">,
  report: Report,
): Promise<Everything> {
  const wanted = toolNames.filter((name) => name !== "pulumi" || pulumi === "build");
  // The tools do not wait: only the node and the image of the services use the packages.
  const tools = ensureTools(wanted, report);
  const images = ensurePackages(report).then(() => ensureImages(report));
  const [builtTools, builtImages] = await Promise.all([tools, images]);
  return { tools: builtTools, images: builtImages };
}
