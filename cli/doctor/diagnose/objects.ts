import { differences, type Difference } from "../compare.ts";
import type { Evidence } from "../evidence.ts";
import { refOf, title, type KubeObject } from "../kubernetes.ts";
import { expectedObjects, type Expected } from "./expected.ts";
import { commands, componentOf, outageOf, type Component, type Fault } from "./fault.ts";
import { judge, type Judgement } from "./rules.ts";

/** Objects that the state or a Release says are there, and are not. */
export function missingObjects(evidence: Evidence): Fault[] {
  const { prefix } = evidence.state.outputs;
  return expectedObjects(evidence)
    .filter(({ object }) => !(title(refOf(object)) in evidence.live))
    .map((expected) => missing(expected, placeOf(expected.object, prefix)));
}

function placeOf({ kind, metadata }: KubeObject, prefix: string): Component {
  return componentOf(kind === "Namespace" ? metadata.name : (metadata.namespace ?? ""), prefix);
}

const guards = ["PodDisruptionBudget", "NetworkPolicy", "ResourceQuota", "LimitRange"];

function missing(expected: Expected, component: Component): Fault {
  const { kind } = expected.object;
  const isClaim = kind === "PersistentVolumeClaim";
  const isLogs = component === "trillian";
  // A guard gives no answer, and what is scheduled runs later: nobody needs them for theirs. Nor
  // does signing need Rekor's data.
  const idle = guards.includes(kind) || kind === "CronJob" || (isClaim && !isLogs);
  const holdsLogs = isLogs && (isClaim || kind === "Namespace");
  return {
    id: `missing-${kind.toLowerCase()}`,
    component,
    place: title(refOf(expected.object)),
    users: idle ? [] : outageOf(component),
    explains: idle ? [] : ["serving"],
    ...(holdsLogs
      ? restoring
      : {
          cause: isClaim ? lostData : `The ${kind} was deleted in the cluster.`,
          ...mending(expected),
        }),
  };
}

/** An empty database would be a second history of logs that have signed a first one. */
const restoring = {
  cause:
    "The claim of the database's volume was deleted, and the logs with it unless the volume is " +
    "kept. An empty database would begin the logs anew under their old keys.",
  command: commands.restore,
};

const lostData =
  "The claim of Rekor's search index or attestations was deleted, and what was on its volume with it " +
  "unless the volume is kept. Nothing of it is needed to sign or to verify: docs/databases.md.";

/** Helm's objects are applied from Helm's record; what Pulumi made, Pulumi makes again. */
function mending({ object, release }: Expected): Pick<Fault, "command" | "repair"> {
  return release === undefined
    ? { command: commands.refresh, repair: { type: "pulumi" } }
    : { command: commands.fix, repair: { type: "apply", object, release } };
}

/** Objects with a field that is not as it was set. */
export function changedObjects(evidence: Evidence): Fault[] {
  const { prefix } = evidence.state.outputs;
  return expectedObjects(evidence).flatMap((expected) => {
    const live = evidence.live[title(refOf(expected.object))];
    if (live === undefined) return [];
    const found = changesOf(expected, live);
    return grouped(found, placeOf(expected.object, prefix), expected);
  });
}

/** No change at all if the object is as an unfinished update would have it. */
function changesOf({ object, alternatives }: Expected, live: KubeObject): Difference[] {
  const [own, ...others] = [object, ...alternatives].map((wanted) =>
    differences(wanted, live).filter((difference) => !isMoreReplicas(difference)),
  );
  return others.some((changes) => changes.length === 0) ? [] : (own ?? []);
}

/** More pods than were asked for do no harm, and an autoscaler may have its reasons. */
function isMoreReplicas({ path, expected, live }: Difference): boolean {
  return path === "spec.replicas" && Number(live) > 0 && live !== expected;
}

/** One fault for each cause in an object, however many fields it has changed. */
function grouped(found: readonly Difference[], component: Component, expected: Expected): Fault[] {
  const { object } = expected;
  const judged = found.map((difference) => judge(component, object, difference));
  const ids = new Set(judged.map(({ id }) => id));
  return [...ids].map((id): Fault => {
    const same = judged.filter((judgement) => judgement.id === id);
    const [first] = same as [Judgement];
    return {
      ...first,
      cause: [...new Set(same.map(({ cause }) => cause))].join(" "),
      component,
      place: title(refOf(object)),
      ...mending(expected),
    };
  });
}
