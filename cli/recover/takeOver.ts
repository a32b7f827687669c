import { KubernetesObjectApi, type KubeConfig, type V1ObjectMeta } from "@kubernetes/client-node";
import { isKubernetes, lost, type Resource, type State } from "../state.ts";
import { autoNamed } from "./orphans.ts";

/** An object whose making was interrupted, by the name that the program gave it. */
interface Begun {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/**
 * The object that an interrupted operation was to make. The provider refuses to make an object
 * that exists (pulumi-kubernetes 4.29.0 and later), so the state must be told of it.
 * @returns undefined for what is no object, and for names of Pulumi's making: another one follows
 */
export function begun({ type, inputs }: Resource): Begun | undefined {
  const {
    apiVersion,
    kind,
    metadata = {},
  } = inputs as {
    apiVersion?: string;
    kind?: string;
    metadata?: V1ObjectMeta;
  };
  const { name, namespace, annotations = {} } = metadata;
  if (!isKubernetes(type) || apiVersion === undefined || kind === undefined) return undefined;
  if (name === undefined || annotations[autoNamed] === "true") return undefined;
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  };
}

/**
 * The resource as the state has it after it was made, but not finished: the next update applies it
 * once more, waits for it and writes down what it became.
 */
export function unfinished(resource: Resource, { metadata }: Begun): Resource {
  const { inputs } = resource;
  return {
    ...resource,
    id: [metadata.namespace, metadata.name].filter((part) => part !== undefined).join("/"),
    outputs: { ...inputs, __inputs: inputs, __initialApiVersion: inputs["apiVersion"] },
    initErrors: ["the update that made it was killed"],
  };
}

/**
 * The resources of interrupted operations whose objects are in the cluster, for the state.
 * Only what a Pulumi has made is taken over.
 */
export async function findMade(config: KubeConfig, state: State): Promise<Resource[]> {
  const api = KubernetesObjectApi.makeApiClient(config);
  const found = lost(state).map(async (resource) => {
    const object = begun(resource);
    if (object === undefined) return [];
    const live = await api.read(object).catch(orNothing);
    const managers = live?.metadata?.managedFields ?? [];
    const isOurs = managers.some(({ manager }) => manager?.startsWith("pulumi-kubernetes"));
    return isOurs ? [unfinished(resource, object)] : [];
  });
  return (await Promise.all(found)).flat();
}

function orNothing(error: unknown): undefined {
  if ((error as { code?: unknown }).code === 404) return undefined;
  throw error;
}

/**
 * The state with these resources, as the engine would have written it:
 * - in the place of one that was deleted to be replaced;
 * - before one that is still there, which the next update deletes in the end;
 * - else at the end.
 */
export function withResources(state: State, made: readonly Resource[]): State {
  const resources = made.reduce(withResource, state.deployment.resources);
  return { ...state, deployment: { ...state.deployment, resources } };
}

function withResource(resources: readonly Resource[], made: Resource): Resource[] {
  const at = resources.findIndex(({ urn, delete: gone }) => urn === made.urn && gone !== true);
  const old = resources[at];
  if (old === undefined) return [...resources, made];
  if (old.pendingReplacement === true) return resources.with(at, made);
  const marked = resources.with(at, { ...old, delete: true });
  // Behind all that it depends on; what depends on it comes later in a state.
  const needs = new Set([...(made.dependencies ?? []), made.parent]);
  const last = marked.findLastIndex(({ urn, delete: gone }) => needs.has(urn) && gone !== true);
  return marked.toSpliced(last + 1, 0, made);
}
