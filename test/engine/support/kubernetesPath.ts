import { ApiError, type Ref } from "../../../local/pulumi/kubernetes/cluster.ts";
import type { Labels } from "./pods.ts";

/** What a path of the API names: an object, or all of a kind when the name is empty. */
export interface Path extends Ref {
  plural: string;
  /** What follows the name, such as `portforward`. */
  subresource: string;
}

const kinds: Readonly<Record<string, string>> = {
  "v1/namespaces": "Namespace",
  "v1/configmaps": "ConfigMap",
  "v1/secrets": "Secret",
  "v1/services": "Service",
  "v1/resourcequotas": "ResourceQuota",
  "v1/limitranges": "LimitRange",
  "v1/serviceaccounts": "ServiceAccount",
  "v1/persistentvolumeclaims": "PersistentVolumeClaim",
  "v1/pods": "Pod",
  "apps/v1/deployments": "Deployment",
  "apps/v1/statefulsets": "StatefulSet",
  "batch/v1/jobs": "Job",
  "batch/v1/cronjobs": "CronJob",
  "networking.k8s.io/v1/ingresses": "Ingress",
  "networking.k8s.io/v1/networkpolicies": "NetworkPolicy",
  "policy/v1/poddisruptionbudgets": "PodDisruptionBudget",
  "rbac.authorization.k8s.io/v1/roles": "Role",
  "rbac.authorization.k8s.io/v1/rolebindings": "RoleBinding",
  "route.openshift.io/v1/routes": "Route",
  "monitoring.coreos.com/v1/servicemonitors": "ServiceMonitor",
  "monitoring.coreos.com/v1/prometheusrules": "PrometheusRule",
};

/** Kinds that a cluster does not have by itself, by the name of their definition. */
const custom: Readonly<Record<string, string>> = {
  Route: "routes.route.openshift.io",
  ServiceMonitor: "servicemonitors.monitoring.coreos.com",
  PrometheusRule: "prometheusrules.monitoring.coreos.com",
};

/**
 * The resources of a group and version, as discovery lists them; none for any other path.
 * @param defined names of custom resources that the cluster has a definition of
 */
export function discovery(pathname: string, defined: readonly string[]): object | undefined {
  const groupVersion = /^\/(?:api|apis)\/(v1|[^/]+\/[^/]+)$/.exec(pathname)?.[1];
  const resources = Object.entries(kinds)
    .filter(([path]) => path.slice(0, path.lastIndexOf("/")) === groupVersion)
    .filter(([, kind]) => custom[kind] === undefined || defined.includes(custom[kind]))
    .map(([path, kind]) => ({
      name: path.slice(path.lastIndexOf("/") + 1),
      kind,
      namespaced: kind !== "Namespace",
    }));
  return resources.length === 0 ? undefined : { kind: "APIResourceList", groupVersion, resources };
}

/** `/api/v1/…` or `/apis/GROUP/VERSION/…`, then perhaps `namespaces/NAMESPACE`. */
const form =
  /^\/(?:api\/(?<core>v1)|apis\/(?<group>[^/]+\/[^/]+))(?:\/namespaces\/(?<namespace>[^/]+)(?=\/))?\/(?<plural>[^/]+)(?:\/(?<name>[^/]+)(?:\/(?<subresource>[^/]+))?)?$/;

/** @throws {ApiError} 404 for what the API does not have, or the stand-in does not know */
export function parsePath(pathname: string): Path {
  const found = form.exec(pathname)?.groups;
  const apiVersion = found?.["core"] ?? found?.["group"] ?? "";
  const plural = found?.["plural"] ?? "";
  const kind = kinds[`${apiVersion}/${plural}`];
  if (found === undefined || kind === undefined) {
    throw new ApiError(404, "NotFound", `the stand-in does not serve ${pathname}`);
  }
  const { namespace = "", name = "", subresource = "" } = found;
  return { apiVersion, kind, plural, namespace, name, subresource };
}

/**
 * `a=b,c==d` as labels.
 * @throws {ApiError} 400 for the other forms, which nothing here asks for
 */
export function parseSelector(selector: string): Labels {
  const terms = selector.split(",").filter((term) => term !== "");
  return Object.fromEntries(
    terms.map((term) => {
      const [, key, value] = /^([^=!\s]+)==?([^=\s]*)$/.exec(term) ?? [];
      if (key !== undefined && value !== undefined) return [key, value];
      throw new ApiError(400, "BadRequest", `the stand-in does not know the selector "${term}"`);
    }),
  );
}
