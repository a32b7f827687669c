import { parsePath, type Step } from "../diff.ts";
import { annotation } from "./cluster.ts";
import { textAt, type Props } from "../values.ts";

/**
 * Places that Kubernetes does not let change, by kind: a change there replaces the object. Secrets
 * and ConfigMaps are here because the official plugin replaces them whenever their data changes
 * (pulumi-kubernetes#1772), so that a new name rolls the pods that use them.
 */
const IMMUTABLE: Readonly<Record<string, readonly string[]>> = {
  "v1/Secret": ["type", "stringData", "data"],
  "v1/ConfigMap": ["binaryData", "data"],
  "v1/Service": ["spec.clusterIP"],
  "v1/PersistentVolumeClaim": [
    "spec.accessModes",
    "spec.selector",
    "spec.storageClassName",
    "spec.volumeName",
  ],
  "v1/PersistentVolume": ["spec.csi", "spec.hostPath", "spec.local", "spec.nfs"],
  "v1/ResourceQuota": ["spec.scopes"],
  "apps/v1/Deployment": ["spec.selector"],
  "apps/v1/DaemonSet": ["spec.selector"],
  "apps/v1/StatefulSet": [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/v1/Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  "rbac.authorization.k8s.io/v1/RoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ["roleRef"],
  "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner"],
};

/** The places of an object where a change replaces it. */
export function immutablePlaces(object: Props): Step[][] {
  const kind = `${textAt(object, "apiVersion")}/${textAt(object, "kind")}`;
  const places = ["metadata.name", "metadata.namespace", ...(IMMUTABLE[kind] ?? [])];
  return places.map(parsePath);
}

/** Whether the plugin chose the object's name. */
export function isAutonamed(object: Props): boolean {
  return annotation(object, "pulumi.com/autonamed") === "true";
}
