import { publishedImages } from "../../infra/scaffold/images.ts";
import type { Choices } from "../stack/choices.ts";
import { committedMirror } from "../stack/committed.ts";
import { climb, type Rung, type Taken } from "./climb.ts";
import { registryProblem } from "./registries.ts";
import type { RungOf, Switches } from "./rungs.ts";

/** The registries that nodes pull the published images from. */
function registries(): string[] {
  const mirror = committedMirror();
  if (mirror !== undefined) return [mirror.split("/")[0] ?? mirror];
  return [...new Set(Object.values(publishedImages).map(({ registry }) => registry))];
}

/** Why not all registries answer; undefined when they do. */
async function registriesProblem(isPatient: boolean): Promise<string | undefined> {
  const problems = registries().map((one) => registryProblem(one, isPatient));
  return (await Promise.all(problems)).find((problem) => problem !== undefined);
}

/**
 * The rung for the images. A cluster of the kubeconfig has its own way to registries, so nothing is
 * asked from here; the node built here takes what is built here, unless told otherwise.
 */
export function chooseImagesRung(
  cluster: RungOf<"cluster">,
  switches: Switches,
  known: Choices | undefined,
): Promise<Taken<"images">> {
  const before = formerImages(known);
  // A node that ran them has them.
  const isSure = cluster === "context" || (before === "published" && switches.images === undefined);
  const published: Rung<"images"> = {
    rung: "published",
    remedy: "Let this machine reach it, or set anchorhold:mirror in stacks/Pulumi.local.yaml.",
    look: async (isPatient) => {
      const why = isSure ? undefined : await registriesProblem(isPatient);
      return why === undefined ? { what: "the published ones, by digest" } : { why };
    },
  };
  return climb({
    need: "images",
    title: "Images",
    rungs: cluster === "node" ? [built, published] : [published, built],
    wanted: switches.images,
    before,
  });
}

function formerImages(known: Choices | undefined): RungOf<"images"> | undefined {
  if (known === undefined) return undefined;
  return known.rungs?.images ?? (known.images === undefined ? "published" : "built");
}

const built: Rung<"images"> = {
  rung: "built",
  remedy: "",
  look: () =>
    Promise.resolve({ what: "built here from Go modules and Debian packages, by content hash" }),
};
