import { setHeaderOptions, type V1ObjectMeta } from "@kubernetes/client-node";

/**
 * Asks the API server for metadata alone: what a Secret holds does not leave the cluster
 * (Kubernetes API concepts, "Metadata-only fetches").
 */
export const metadataOnly = setHeaderOptions(
  "Accept",
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
);

/** The metadata in such a list; one without items comes as null. */
export function metadataOf(list: { items: { metadata?: V1ObjectMeta }[] }): V1ObjectMeta[] {
  const items = list.items as { metadata?: V1ObjectMeta }[] | null;
  return (items ?? []).flatMap(({ metadata }) => metadata ?? []);
}
