import { trillianNames } from "../../infra/scaffold/names.ts";
import { title, type Manifest } from "../../infra/scaffold/postrender/manifest.ts";
import { containers, objectRule, podSpec } from "../objects.ts";
import { find, list, text, type PlainObject } from "../plain.ts";

interface Config {
  workloads: string[];
  searchIndex: string;
  local: string[];
}

/** Where the containers of a pod mount persistent volume claims. */
function mountsOfClaims(pod: PlainObject): string[] {
  const claims = list(pod, "volumes")
    .filter((volume) => find(volume, "persistentVolumeClaim", "claimName") !== undefined)
    .map(({ name }) => name);
  return containers(pod)
    .flatMap((container) => list(container, "volumeMounts"))
    .filter(({ name }) => claims.includes(name))
    .map(({ mountPath }) => text(mountPath));
}

/** The arguments of a pod's containers. */
function argumentsOf(pod: PlainObject): string[] {
  return containers(pod).flatMap(({ args }) => (Array.isArray(args) ? args.map(text) : []));
}

/**
 * Whether attestations stay: in a bucket elsewhere, or in a folder that a claim is mounted at. The
 * chart's own folder is none (its claim is mounted beside it).
 */
function keepsAttestations(pod: PlainObject): boolean {
  const args = argumentsOf(pod);
  if (!args.some((arg) => /^--?enable_attestation_storage(=true)?$/.test(arg))) return true;
  // The last one counts.
  const named = args.map((arg) => /^--?attestation_storage_bucket=(.*)$/.exec(arg)?.[1]);
  const bucket = named.findLast((one) => one !== undefined) ?? "";
  if (/^(s3|gs|azblob):\/\/./.test(bucket)) return true;
  const folder = /^file:\/\/(\/[^?]+)/.exec(bucket)?.[1];
  return mountsOfClaims(pod).some(
    (mount) => folder === mount || folder?.startsWith(`${mount.replace(/\/$/, "")}/`),
  );
}

function problems(object: Manifest, config: Config, stack: string): string[] {
  const pod = podSpec(object) ?? {};
  const { name } = object.metadata;
  const isIndex = new RegExp(`^(${config.searchIndex})$`).test(name);
  const needed = config.workloads.includes(name) || (isIndex && !config.local.includes(stack));
  return [
    ...(needed && mountsOfClaims(pod).length === 0 ? ["mounts no persistent volume claim"] : []),
    ...(keepsAttestations(pod) ? [] : ["keeps attestations on no persistent volume claim"]),
  ].map((problem) => `${title(object)} ${problem}`);
}

export const dataPersistent = objectRule<Config>({
  name: "data-persistent",
  description:
    "Keep the logs' database (anchorhold:database), the search index (anchorhold:searchIndex) and attestations (anchorhold:attestations) on a persistent volume claim or outside of the cluster: what they lose, no key brings back.",
  config: {
    // Deployments and StatefulSets by name.
    workloads: { type: "array", items: { type: "string" }, default: [trillianNames.database] },
    // The Deployments of Redis, as a regular expression.
    searchIndex: { type: "string", default: "rekor-\\d+-redis" },
    // Stacks that may lose the search index.
    local: { type: "array", items: { type: "string" }, default: ["local"] },
  },
  check: (objects, config, stack) =>
    objects
      .filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet")
      .flatMap((object) => problems(object, config, stack)),
});
