import {
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  type KubeConfig,
  type V1ObjectMeta,
} from "@kubernetes/client-node";
import { objectOf, type ObjectRef, type State } from "../state.ts";
import { metadataOf, metadataOnly } from "./metadata.ts";

/** An object as it was found. */
export interface Found {
  kind: string;
  metadata: V1ObjectMeta;
}

/** On objects whose name Pulumi has made. */
export const autoNamed = "pulumi.com/autonamed";

/**
 * The objects under names of Pulumi's making that the state does not know: an update was killed
 * before it could write down what it had made. What has a name of the program's, or was made by
 * Helm, is none: the next update takes it over.
 */
export function orphansAmong(found: readonly Found[], { deployment }: State): ObjectRef[] {
  const keyOf = ({ kind, namespace, name }: ObjectRef) => `${kind} ${namespace}/${name}`;
  const known = new Set(deployment.resources.flatMap((at) => objectOf(at) ?? []).map(keyOf));
  return found.flatMap(({ kind, metadata }) => {
    const { name = "", namespace = "", annotations = {}, ownerReferences = [] } = metadata;
    const object = { kind, namespace, name };
    const isMade = annotations[autoNamed] === "true" && ownerReferences.length === 0;
    return isMade && !known.has(keyOf(object)) ? [object] : [];
  });
}

/** The command that removes an orphan, for a person to run. */
export const removal = ({ kind, namespace, name }: ObjectRef): string =>
  `kubectl delete ${kind.toLowerCase()} --namespace ${namespace} ${name}`;

/** Every object of the kinds that are made under names of their own; metadata alone. */
export async function findObjects(
  config: KubeConfig,
  namespaces: readonly string[],
): Promise<Found[]> {
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const batch = config.makeApiClient(BatchV1Api);
  const lists = namespaces.flatMap((namespace) => {
    const kinds = {
      Secret: core.listNamespacedSecret({ namespace }, metadataOnly),
      ConfigMap: core.listNamespacedConfigMap({ namespace }, metadataOnly),
      Deployment: apps.listNamespacedDeployment({ namespace }, metadataOnly),
      Job: batch.listNamespacedJob({ namespace }, metadataOnly),
    };
    return Object.entries(kinds).map(async ([kind, list]) =>
      metadataOf(await list).map((metadata) => ({ kind, metadata })),
    );
  });
  return (await Promise.all(lists)).flat();
}
