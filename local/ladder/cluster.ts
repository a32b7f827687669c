import { findRuntime, hasNodeImage, nodeState } from "../kind/runtime.ts";
import type { Choices } from "../stack/choices.ts";
import { climb, type Found, type Rung, type Taken } from "./climb.ts";
import { registryProblem } from "./registries.ts";
import type { RungOf, Switches } from "./rungs.ts";

/**
 * The rung for the cluster. A stack stays where it is; whether a named context is that place is seen
 * by the program itself, which knows its cluster.
 *
 * @param context a context of the caller's kubeconfig, now or before
 */
export function chooseClusterRung(
  switches: Switches,
  known: Choices | undefined,
  context: string | undefined,
): Promise<Taken<"cluster">> {
  const before = formerCluster(known);
  return climb({
    need: "cluster",
    title: "Cluster",
    rungs: context === undefined ? [kind, node] : [named(context), kind, node],
    wanted: switches.cluster,
    before,
    bound:
      before === undefined || switches.cluster === "context"
        ? undefined
        : `This stack lives in ${places[before]} and stays there: nothing was changed. Take a ` +
          "backup first (docs/backup.md), end it with `npm run down -- --purge`, and restore it elsewhere.",
  });
}

const places: Record<RungOf<"cluster">, string> = {
  context: "a cluster of your kubeconfig (--context)",
  kind: "kind's cluster",
  node: "the node built here",
};

/** Before rungs were written down, the node was the one with a port of its own. */
export function formerCluster(known: Choices | undefined): RungOf<"cluster"> | undefined {
  if (known === undefined) return undefined;
  return known.rungs?.cluster ?? (known.apiServerPort === undefined ? undefined : "node");
}

const named = (context: string): Rung<"cluster"> => ({
  rung: "context",
  remedy: "Name it: --context NAME.",
  look: () => Promise.resolve({ what: `context ${context} of your kubeconfig` }),
});

const kind: Rung<"cluster"> = {
  rung: "kind",
  remedy: "Install Docker (https://docs.docker.com/engine/install/) or Podman, and start it.",
  look: lookForKind,
};

async function lookForKind(): Promise<Found> {
  const found = await findRuntime();
  if ("why" in found) return found;
  const { runtime, version } = found;
  const what = `kind, in ${runtime} ${version}`;
  const [state, hasImage] = await Promise.all([nodeState(runtime), hasNodeImage(runtime)]);
  if (state !== undefined || hasImage) return { what };
  const problem = await registryProblem("docker.io", false);
  return problem === undefined
    ? { what }
    : { why: `${runtime} runs, but kind's node image is not there and ${problem}` };
}

const node: Rung<"cluster"> = {
  rung: "node",
  remedy: "It needs root on Debian or a relative of it.",
  look: () =>
    Promise.resolve(
      process.platform === "linux"
        ? { what: "a node built here from package registries" }
        : { why: "a node of our own needs Linux" },
    ),
};
