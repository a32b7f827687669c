import type { Evidence, ManagedObject, ReleaseName, ReleaseRevision } from "../evidence.ts";
import { refOf, title, type KubeObject } from "../kubernetes.ts";

/** An object that should be there, and who has made it. */
export interface Expected {
  object: KubeObject;
  /** As an update that has not finished would have it. */
  alternatives: readonly KubeObject[];
  release?: ReleaseName;
  managed?: ManagedObject;
}

/** The revisions of a Release, the newest first. */
export function revisionsOf(
  { revisions }: Pick<Evidence, "revisions">,
  { namespace, name }: ReleaseName,
): ReleaseRevision[] {
  return revisions
    .filter((revision) => revision.namespace === namespace && revision.name === name)
    .sort((a, b) => b.revision - a.revision);
}

/**
 * Every object that should be there: Helm's, from the newest revision that was deployed, and
 * Pulumi's own. Jobs are left out, since what has ended may go.
 */
export function expectedObjects(evidence: Evidence): Expected[] {
  const { state } = evidence;
  return [
    ...state.releases.flatMap((release) => ofRelease(evidence, release)),
    ...state.objects.map((managed) => ({ object: managed.expected, alternatives: [], managed })),
  ].filter(({ object }) => object.kind !== "Job");
}

function ofRelease(evidence: Evidence, release: ReleaseName): Expected[] {
  const all = revisionsOf(evidence, release);
  const base = all.find(({ status }) => status === "deployed");
  if (base === undefined) return [];
  const newer = all.filter(({ revision }) => revision > base.revision);
  return base.objects.flatMap((object): Expected[] => {
    const name = title(refOf(object));
    const inNewer = newer.map(({ objects }) =>
      objects.find((candidate) => title(refOf(candidate)) === name),
    );
    // Perhaps taken away already.
    if (inNewer.includes(undefined) && !(name in evidence.live)) return [];
    const alternatives = inNewer.filter((candidate) => candidate !== undefined);
    return [{ object, alternatives, release }];
  });
}
