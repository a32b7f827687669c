import type {
  Container,
  DeploymentSpec,
  Manifest,
} from "../../infra/scaffold/postrender/manifest.ts";

/** The chart's Deployments by their labels name and component, as the post-renderer knows them. */
export const servers = ["fulcio", "ctlog", "tsa", "rekor/server", "trillian/trillian-logserver"];
export const singles = ["rekor/redis", "trillian/trillian-logsigner", "trillian/mysql"];

/** An object in namespace `a`. */
export const object = (
  kind: string,
  name: string,
  more: Record<string, unknown> = {},
): Manifest => ({ apiVersion: "v1", kind, metadata: { name, namespace: "a" }, ...more });

interface Parts {
  container?: Record<string, unknown>;
  pod?: Record<string, unknown>;
  spec?: Record<string, unknown>;
}

/** A Deployment as the chart renders it, named by its labels: `rekor/server`. */
export function deployment(part: string, { container, pod, spec }: Parts = {}): Manifest {
  const [app = "", component] = part.split("/");
  const name = part.replace("/", "-");
  const labels = {
    "app.kubernetes.io/name": app,
    ...(component === undefined ? {} : { "app.kubernetes.io/component": component }),
  };
  const containers = [{ name, ports: [{ containerPort: 5555 }], ...container }];
  return object("Deployment", name, {
    apiVersion: "apps/v1",
    metadata: { name, namespace: "a", labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { serviceAccountName: `${name}-account`, containers, ...pod },
      },
      ...spec,
    },
  });
}

const rbac = "rbac.authorization.k8s.io";
export const role = (name: string) => object("Role", name, { apiVersion: `${rbac}/v1`, rules: [] });
export const binding = (name: string, account: string) =>
  object("RoleBinding", name, {
    apiVersion: `${rbac}/v1`,
    roleRef: { apiGroup: rbac, kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name: account, namespace: "a" }],
  });
export const job = (name: string) => object("Job", name, { apiVersion: "batch/v1" });

export const specOf = (manifest: Manifest | undefined) => manifest?.spec as DeploymentSpec;
export const podOf = (manifest: Manifest | undefined) => specOf(manifest).template.spec;
export const containerOf = (manifest: Manifest | undefined) =>
  podOf(manifest).containers[0] as Container;
