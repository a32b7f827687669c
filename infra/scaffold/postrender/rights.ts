import { deploymentSpec, withPod, type Manifest } from "./manifest.ts";

const account = (namespace: string | undefined, name: string) => `${namespace ?? ""}/${name}`;

/** ServiceAccounts that a Deployment runs as, by `namespace/name`. */
function usedAccounts(manifests: readonly Manifest[]): Set<string> {
  return new Set(
    manifests.flatMap((manifest) => {
      const name = deploymentSpec(manifest)?.template.spec.serviceAccountName;
      return name === undefined ? [] : [account(manifest.metadata.namespace, name)];
    }),
  );
}

/** Roles, bindings and accounts stay only where a Deployment needs them: the rest was the Jobs'. */
export function withoutUnusedRights(manifests: readonly Manifest[]): Manifest[] {
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

/** No pod gets the cluster's API unless the chart's values say so. */
export function withoutToken(manifest: Manifest): Manifest {
  return withPod(manifest, (pod) => ({
    ...pod,
    automountServiceAccountToken: pod.automountServiceAccountToken ?? false,
  }));
}
