import { title, type Manifest } from "../../infra/scaffold/postrender/manifest.ts";
import { containers, objectRule, podSpec } from "../objects.ts";
import { find, text, unknown } from "../plain.ts";

/** Whether a quantity is there, known and not nothing. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== "" && value !== 0 && value !== "0" && value !== unknown;
}

/** Containers whose `resources.<section>` leaves out one of `names`. */
function missing(object: Manifest, section: string, names: readonly string[]) {
  return containers(podSpec(object) ?? {}).flatMap((container) =>
    names
      .filter((what) => !isSet(find(container, "resources", section, what)))
      .map((what) => ({ place: `${title(object)}: container ${text(container["name"])}`, what })),
  );
}

export const requestsSet = objectRule<object>({
  name: "requests-set",
  description:
    "Request cpu and memory for every container, so that a node is never promised to more pods than it can carry.",
  check: (objects) =>
    objects.flatMap((object) =>
      missing(object, "requests", ["cpu", "memory"]).map(
        ({ place, what }) => `${place} requests no ${what}`,
      ),
    ),
});

export const limitsSet = objectRule<object>({
  name: "limits-set",
  description:
    "Limit the memory of every container (anchorhold:resources), so that one that leaks ends itself and not its node's other pods.",
  check: (objects) =>
    objects.flatMap((object) =>
      missing(object, "limits", ["memory"]).map(({ place }) => `${place} has no limit of memory`),
    ),
});
