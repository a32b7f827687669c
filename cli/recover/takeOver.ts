import { KubernetesObjectApi, type KubeConfig, type V1ObjectMeta } from "@kubernetes/client-node";
import { isKubernetes, type PendingOperation, type Resource, type State } from "../state.ts";
import { autoNamed } from "./orphans.ts";

/** An object whose making was interrupted, by the name that the program gave it. */
interface Begun {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/**
 * The object that an interrupted operation may have made. The provider refuses to make an object
 * that exists (pulumi-kubernetes 4.29.0 and later), so the state must be told of it.
 * @returns undefined for what is no object, and for names of Pulumi's making: another one follows
 */
export function begun({ type, resource }: PendingOperation): Begun | undefined {
  const {
    apiVersion,
    kind,
    metadata = {},
  } = resource.inputs as {
    apiVersion?: string;
    kind?: string;
    metadata?: V1ObjectMeta;
  };
  const { name, namespace, annotations = {} } = metadata;
  if (type !== "creating" || !isKubernetes(resource.type)) return undefined;
  if (apiVersion === undefined || kind === undefined || name === undefined) return undefined;
  if (annotations[autoNamed] === "true") return undefined;
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
export async function findMade(config: KubeConfig, { deployment }: State): Promise<Resource[]> {
  const api = KubernetesObjectApi.makeApiClient(config);
  const found = deployment.pending_operations.map(async (operation) => {
    const object = begun(operation);
    if (object === undefined) return [];
    const live = await api.read(object).catch(orNothing);
    const managers = live?.metadata?.managedFields ?? [];
    const isOurs = managers.some(({ manager }) => manager?.startsWith("pulumi-kubernetes"));
    return isOurs ? [unfinished(operation.resource, object)] : [];
  });
  return (await Promise.all(found)).flat();
}

function orNothing(error: unknown): undefined {
  if ((error as { code?: unknown }).code === 404) return undefined;
  throw error;
}

/** The state with these resources at its end: they depend only on what is there before them. */
export function withResources(state: State, more: readonly Resource[]): State {
  const { deployment } = state;
  return { ...state, deployment: { ...deployment, resources: [...deployment.resources, ...more] } };
}
