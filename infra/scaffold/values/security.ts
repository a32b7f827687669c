import { assignedId } from "../postrender/assigned.ts";

export { containerSecurity } from "../postrender/containerSecurity.ts";

/**
 * Who the stack's processes are: one user id for all of them, `assigned` where the cluster gives
 * every namespace its own (OpenShift), or the ids that the images were made for.
 */
export type RunAs = number | "assigned" | undefined;

/** The user that the chart's own defaults give to Fulcio, Rekor, ct_server and the TSA. */
const unprivilegedUser = 65533;

/**
 * One id for all runs with group 0 and itself as the volumes' group, which is what OpenShift does; so
 * whatever works with it works there.
 */
function ids(runAs: RunAs, own: number) {
  if (runAs === "assigned")
    return { runAsUser: assignedId, runAsGroup: assignedId, fsGroup: assignedId };
  if (runAs === undefined) return { runAsUser: own, runAsGroup: own, fsGroup: own };
  return { runAsUser: runAs, runAsGroup: 0, fsGroup: runAs };
}

/**
 * Pod level of the "restricted" Pod Security Standard, for the chart's values: ids that the cluster
 * gives are `assignedId`, which the post-renderer takes out.
 * @param own the id that the image was made for
 */
export function podSecurity(runAs?: RunAs, own = unprivilegedUser) {
  return {
    runAsNonRoot: true,
    ...ids(runAs, own),
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** The same for pods of our own, which no post-renderer sees. */
export function ownPodSecurity(runAs?: RunAs) {
  const { runAsUser, runAsGroup, fsGroup, ...rest } = podSecurity(runAs);
  return runAs === "assigned" ? rest : { ...rest, runAsUser, runAsGroup, fsGroup };
}
