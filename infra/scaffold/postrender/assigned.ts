import { withPod, type Manifest } from "./manifest.ts";

/**
 * Stands in the values for an id that the cluster gives. Left out there, the chart's own default
 * would come back, and no Kubernetes takes this one: a pod that was not post-rendered is refused.
 */
export const assignedId = -1;

/** Leaves the user and groups of a pod to the cluster where the values say so. */
export function withAssignedIds(manifest: Manifest): Manifest {
  return withPod(manifest, (pod) => {
    if (pod.securityContext === undefined) return pod;
    const given = Object.entries(pod.securityContext).filter(([, id]) => id !== assignedId);
    return { ...pod, securityContext: Object.fromEntries(given) };
  });
}
