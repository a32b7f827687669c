import { parseAllDocuments, type Tags } from "yaml";

/**
 * What happens to the chart's manifests between Helm's rendering and the cluster. Pure; it imports
 * nothing of Pulumi's, because Helm runs it as a program of its own for every Release.
 */

/** A Kubernetes object as the chart renders it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  [field: string]: unknown;
}

interface Container {
  name: string;
  ports?: { containerPort: number }[];
  [probe: string]: unknown;
}

interface PodSpec {
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  containers: Container[];
}

/**
 * All that the chart may render with our values. A Secret, a claim, an Ingress or a Namespace would
 * mean that a part which makes things by itself is on again.
 */
const knownKinds = new Set([
  "v1/ConfigMap",
  "v1/Service",
  "v1/ServiceAccount",
  "apps/v1/Deployment",
  "rbac.authorization.k8s.io/v1/Role",
  "rbac.authorization.k8s.io/v1/RoleBinding",
]);

/** The chart's Jobs that would make keys, certificates, trees, configuration or tables. */
const generatorJob = /(^|-)(createtree|createcerts|createctconfig|createdb)$/;

const title = ({ apiVersion, kind, metadata }: Manifest) =>
  `${apiVersion} ${kind} ${metadata.namespace ?? "(no namespace)"}/${metadata.name}`;

function isGenerator({ apiVersion, kind, metadata }: Manifest): boolean {
  return apiVersion === "batch/v1" && kind === "Job" && generatorJob.test(metadata.name);
}

function refuseUnknown(manifests: readonly Manifest[]): void {
  const unknown = manifests.filter(
    ({ apiVersion, kind }) => !knownKinds.has(`${apiVersion}/${kind}`),
  );
  if (unknown.length === 0) return;
  throw new Error(
    `the chart renders what Anchorhold does not know: ${unknown.map(title).join(", ")}. ` +
      "Switch it off in infra/scaffold/values, or let infra/scaffold/postrenderRules.ts know it.",
  );
}

function podSpec(manifest: Manifest): PodSpec | undefined {
  if (manifest.kind !== "Deployment") return undefined;
  return (manifest.spec as { template: { spec: PodSpec } }).template.spec;
}

const account = (namespace: string | undefined, name: string) => `${namespace ?? ""}/${name}`;

/** ServiceAccounts that a Deployment runs as, by `namespace/name`. */
function usedAccounts(manifests: readonly Manifest[]): Set<string> {
  return new Set(
    manifests.flatMap((manifest) => {
      const name = podSpec(manifest)?.serviceAccountName;
      return name === undefined ? [] : [account(manifest.metadata.namespace, name)];
    }),
  );
}

/** Roles, bindings and accounts stay only where a Deployment needs them: the rest was the Jobs'. */
function withoutUnusedRights(manifests: readonly Manifest[]): Manifest[] {
  const accounts = usedAccounts(manifests);
  const of = (kind: string) => manifests.filter((manifest) => manifest.kind === kind);
  const bindings = of("RoleBinding").filter(({ subjects }) =>
    (subjects as { name: string; namespace?: string }[]).some(({ name, namespace }) =>
      accounts.has(account(namespace, name)),
    ),
  );
  const roles = new Set(
    bindings.map(({ metadata, roleRef }) =>
      account(metadata.namespace, (roleRef as { name: string }).name),
    ),
  );
  return manifests.filter((manifest) => {
    const key = account(manifest.metadata.namespace, manifest.metadata.name);
    if (manifest.kind === "ServiceAccount") return accounts.has(key);
    if (manifest.kind === "RoleBinding") return bindings.includes(manifest);
    if (manifest.kind === "Role") return roles.has(key);
    return true;
  });
}

function firstPort(manifest: Manifest, container: Container): number {
  const port = container.ports?.[0]?.containerPort;
  if (port !== undefined) return port;
  throw new Error(`${title(manifest)}: container ${container.name} has no port to probe`);
}

type Probe = { exec?: unknown } & Record<string, unknown>;

/** The chart's exec probes call programs of one certain image; TCP works with any. */
function tcpForExec(manifest: Manifest, container: Container): Container {
  const changed = { ...container };
  for (const key of ["readinessProbe", "livenessProbe"]) {
    const { exec, ...timing } = (container[key] ?? {}) as Probe;
    if (exec !== undefined)
      changed[key] = { ...timing, tcpSocket: { port: firstPort(manifest, container) } };
  }
  return changed;
}

/** The chart gives the TSA no probes, so a pod counts as ready before it listens. */
function withTsaProbes(manifest: Manifest, container: Container): Container {
  if (manifest.metadata.labels?.["app.kubernetes.io/name"] !== "tsa") return container;
  const httpGet = { path: "/ping", port: firstPort(manifest, container), scheme: "HTTP" };
  const timing = { timeoutSeconds: 2, successThreshold: 1 };
  return {
    readinessProbe: {
      httpGet,
      initialDelaySeconds: 1,
      periodSeconds: 2,
      failureThreshold: 3,
      ...timing,
    },
    livenessProbe: {
      httpGet,
      initialDelaySeconds: 10,
      periodSeconds: 10,
      failureThreshold: 6,
      ...timing,
    },
    ...container,
  };
}

/** No pod gets the cluster's API unless the chart's values say so. */
function hardened(manifest: Manifest): Manifest {
  const spec = podSpec(manifest);
  if (spec === undefined) return manifest;
  const { template, ...rest } = manifest.spec as { template: Record<string, unknown> };
  return {
    ...manifest,
    spec: {
      ...rest,
      template: {
        ...template,
        spec: {
          ...spec,
          automountServiceAccountToken: spec.automountServiceAccountToken ?? false,
          containers: spec.containers.map((container) =>
            withTsaProbes(manifest, tcpForExec(manifest, container)),
          ),
        },
      },
    },
  };
}

/**
 * Drops the generator Jobs and what belongs only to them, mends probes, takes the API token away.
 * @throws Error that names every object of a kind, or Job, that is not known
 */
export function postrender(manifests: readonly Manifest[]): Manifest[] {
  const wanted = manifests.filter((manifest) => !isGenerator(manifest));
  refuseUnknown(wanted);
  return withoutUnusedRights(wanted).map(hardened);
}

/** Helm reads YAML 1.1 without its times: `0666` is octal, `12:30` and `2026-01-01` are text. */
function helmTags(tags: Tags): Tags {
  return tags.filter(
    (tag) =>
      typeof tag === "string" ||
      !(("format" in tag && tag.format === "TIME") || tag.tag === "tag:yaml.org,2002:timestamp"),
  );
}

function isManifest(value: unknown): value is Manifest {
  const { apiVersion, kind, metadata } = value as Partial<Manifest>;
  return (
    typeof apiVersion === "string" && typeof kind === "string" && typeof metadata?.name === "string"
  );
}

/**
 * Reads rendered manifests; empty documents are left out.
 * @throws Error when a document is no YAML or no Kubernetes object with a name
 */
export function readManifests(text: string): Manifest[] {
  const documents = parseAllDocuments(text, { version: "1.1", customTags: helmTags });
  return [...documents].flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(`the chart renders no YAML: ${error.message}`);
    const value: unknown = document.toJS();
    if (value === null || value === undefined) return [];
    if (typeof value === "object" && isManifest(value)) return [value];
    throw new Error(`the chart renders what is no Kubernetes object: ${JSON.stringify(value)}`);
  });
}

/** Documents in JSON, which is YAML without any question of quoting. */
export function writeManifests(manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => `---\n${JSON.stringify(manifest, null, 2)}\n`).join("");
}
