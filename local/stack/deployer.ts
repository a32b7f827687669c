import {
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  type KubernetesObject,
} from "@kubernetes/client-node";
import { deployer } from "../node/layout.ts";
import { deployerManifests, type Spaces } from "../../cli/rbac/manifests.ts";

const { namespace, name } = deployer;

/** As long as the node's own certificates. */
const tokenSeconds = 3650 * 24 * 60 * 60;

/**
 * Makes the identity that deploys on a node of ours, with the rights that `anchorhold rbac` prints and
 * no others, so that what works here works with them anywhere.
 *
 * @param kubeconfig path of the administrator's
 * @returns its kubeconfig, as text
 */
export async function makeDeployer(kubeconfig: string, spaces: Spaces): Promise<string> {
  const admin = new KubeConfig();
  admin.loadFromFile(kubeconfig);
  const account = { kind: "ServiceAccount", namespace, name } as const;
  await applyAll(admin, [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    ...deployerManifests(spaces, [account]),
  ]);
  const { status } = await admin.makeApiClient(CoreV1Api).createNamespacedServiceAccountToken({
    name,
    namespace,
    body: { spec: { audiences: [], expirationSeconds: tokenSeconds } },
  });
  return kubeconfigWith(admin, status?.token ?? "");
}

/** Applies objects as the local tools' own, whoever else has a part in them. */
export async function applyAll(
  admin: KubeConfig,
  manifests: readonly KubernetesObject[],
): Promise<void> {
  const api = KubernetesObjectApi.makeApiClient(admin);
  for (const manifest of manifests)
    await api.patch(
      manifest,
      undefined,
      undefined,
      "anchorhold-local",
      true,
      PatchStrategy.ServerSideApply,
    );
}

function kubeconfigWith(admin: KubeConfig, token: string): string {
  const context = admin.getContextObject(admin.getCurrentContext());
  const cluster = admin.getCurrentCluster();
  if (context === null || cluster === null) throw new Error("the kubeconfig names no cluster");
  const own = new KubeConfig();
  own.loadFromOptions({
    clusters: [cluster],
    users: [{ name, token }],
    contexts: [{ ...context, user: name }],
    currentContext: context.name,
  });
  return own.exportConfig();
}
