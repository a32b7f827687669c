import { isKubernetes, nameOf, type Resource, type State } from "../state.ts";

/**
 * Whether a resource is of the cluster that it was made in: its objects and Releases, what was
 * observed there, and the note which cluster that is. All else (keys, certificates, records, tree
 * ids, the TUF repository's signed files) is the Sigstore itself, wherever it runs.
 */
function isBound({ type, urn }: Resource): boolean {
  if (isKubernetes(type)) return true;
  // Of the commands only those that have made a tree say something that stays true elsewhere.
  if (type === "command:local:Command") return !urn.includes("anchorhold:trust:TrillianTree$");
  return type === "pulumi:index:Stash" && nameOf({ urn }) === "cluster";
}

interface Links {
  dependencies?: string[];
  propertyDependencies?: Record<string, string[] | null>;
  deletedWith?: string;
}

/**
 * The state without what is bound to its cluster: the next update makes that anew, in another
 * cluster, from the same keys and records.
 */
export function moved(state: State): State {
  const { resources } = state.deployment;
  const gone = new Set(resources.filter(isBound).map(({ urn }) => urn));
  const kept = resources.filter(({ urn }) => !gone.has(urn));
  return {
    ...state,
    deployment: {
      ...state.deployment,
      resources: kept.map((resource) => unlinked(resource, gone)),
      pending_operations: [],
    },
  };
}

/** Without the dependencies that are gone: the engine takes no state that names what it lacks. */
function unlinked(resource: Resource, gone: ReadonlySet<string>): Resource {
  const { dependencies, propertyDependencies, deletedWith, ...rest } = resource as Resource & Links;
  const stays = (urns: readonly string[] | null) => (urns ?? []).filter((urn) => !gone.has(urn));
  return {
    ...rest,
    ...(dependencies === undefined ? {} : { dependencies: stays(dependencies) }),
    ...(propertyDependencies === undefined
      ? {}
      : {
          propertyDependencies: Object.fromEntries(
            Object.entries(propertyDependencies).map(([key, urns]) => [key, stays(urns)]),
          ),
        }),
    ...(deletedWith === undefined || gone.has(deletedWith) ? {} : { deletedWith }),
  };
}
