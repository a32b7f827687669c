import { resourceRule, type Resource } from "../rule.ts";

/** What holds keys, passwords, facts of generations and the logs' data: gone is gone for ever. */
const trustTypes = [
  "tls:index/privateKey:PrivateKey",
  "pulumi:index:Stash",
  "kubernetes:core/v1:Namespace",
  "kubernetes:core/v1:PersistentVolumeClaim",
  "kubernetes:helm.sh/v3:Release",
];

/** Prefixes of types whose resources are all of that sort. */
const trustFamilies = ["random:index/", "command:local:"];

/** What stays of a destroyed key is a shell that nothing reads (infra/trust/signingKey.ts). */
function isShell({ type, props }: Resource): boolean {
  return type === "tls:index/privateKey:PrivateKey" && props["algorithm"] === "ED25519";
}

function makesTrust(resource: Resource): boolean {
  const { type } = resource;
  if (isShell(resource)) return false;
  return trustTypes.includes(type) || trustFamilies.some((family) => type.startsWith(family));
}

export const trustProtected = resourceRule<object>({
  name: "trust-protected",
  description:
    "Give every key, password, record, tree, volume, namespace and Release `protect: true`, so that neither destroy nor replace can take it.",
  check: (resource) =>
    makesTrust(resource) && !resource.opts.protect
      ? [`${resource.type} ${resource.name} is not protected`]
      : [],
});

export const recordsFrozen = resourceRule<object>({
  name: "records-frozen",
  description:
    'Make records with `frozen` or `record` (infra/trust/record.ts), which ignore changes of "input", so that no edit shows as a change of what was recorded.',
  check: ({ type, name, opts }) =>
    type === "pulumi:index:Stash" && !opts.ignoreChanges.includes("input")
      ? [`Stash ${name} does not ignore changes of its input`]
      : [],
});
