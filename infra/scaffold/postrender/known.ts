import { title, type Manifest } from "./manifest.ts";

/** What a Deployment of the chart is: one of several alike that can roll, or the only one. */
export type Role = "server" | "single";

/**
 * Every Deployment that the chart may render, by its labels `app.kubernetes.io/name` and, where a
 * Release has several, `app.kubernetes.io/component`. Single are the database and the search index,
 * which have one volume each, and the log signer: without an election each signer takes itself for
 * the master. Two of them during a roll do no harm, since MySQL refuses clashing revisions
 * (google/trillian#488), but for good they would only be in each other's way.
 */
const roles = new Map<string, Role>([
  ["fulcio", "server"],
  ["ctlog", "server"],
  ["tsa", "server"],
  ["rekor/server", "server"],
  ["trillian/trillian-logserver", "server"],
  ["rekor/redis", "single"],
  ["trillian/trillian-logsigner", "single"],
  ["trillian/mysql", "single"],
]);

/** The role of a Deployment; undefined for every other object. */
export function roleOf(manifest: Manifest): Role | undefined {
  const { apiVersion, kind } = manifest;
  if (apiVersion !== "apps/v1" || kind !== "Deployment") return undefined;
  return roles.get(roleLabel(manifest));
}

/** What an object belongs to by its labels: `fulcio`, or `rekor/redis` where there are several. */
export function roleLabel({ metadata }: Manifest): string {
  const label = (name: string) => metadata.labels?.[`app.kubernetes.io/${name}`];
  const component = label("component");
  return [label("name"), ...(component === undefined ? [] : [component])].join("/");
}

/**
 * All else that the chart may render with our values. A Secret, a claim, an Ingress or a Namespace
 * would mean that a part which makes things by itself is on again.
 */
const knownKinds = new Set([
  "v1/ConfigMap",
  "v1/Service",
  "v1/ServiceAccount",
  "policy/v1/PodDisruptionBudget",
  "rbac.authorization.k8s.io/v1/Role",
  "rbac.authorization.k8s.io/v1/RoleBinding",
]);

/** The chart's Jobs that would make keys, certificates, trees, configuration or tables. */
const generatorJob = /(^|-)(createtree|createcerts|createctconfig|createdb)$/;

function isGenerator({ apiVersion, kind, metadata }: Manifest): boolean {
  return apiVersion === "batch/v1" && kind === "Job" && generatorJob.test(metadata.name);
}

function isKnown(manifest: Manifest): boolean {
  const { apiVersion, kind } = manifest;
  return knownKinds.has(`${apiVersion}/${kind}`) || roleOf(manifest) !== undefined;
}

/**
 * The manifests without the generator Jobs.
 * @throws Error that names every object of a kind, Job or Deployment, that is not known
 */
export function onlyKnown(manifests: readonly Manifest[]): Manifest[] {
  const wanted = manifests.filter((manifest) => !isGenerator(manifest));
  const unknown = wanted.filter((manifest) => !isKnown(manifest));
  if (unknown.length === 0) return wanted;
  throw new Error(
    `the chart renders what Anchorhold does not know: ${unknown.map(title).join(", ")}. ` +
      "Switch it off in infra/scaffold/values, or let infra/scaffold/postrender/known.ts know it.",
  );
}
