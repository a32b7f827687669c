import type { KubeConfig } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";
import { UserError } from "../errors.ts";
import { oneLine } from "../observe/errors.ts";
import type { TlsSecret } from "./entrance/certificate.ts";

/**
 * The context that Pulumi's Kubernetes provider uses, if the stack names one: what observes must
 * ask the same cluster.
 * @throws UserError when the stack names a kubeconfig, which commands could not follow
 */
export function kubernetesContext(): string | undefined {
  const config = new pulumi.Config("kubernetes");
  if (config.get("kubeconfig") !== undefined)
    throw new UserError(
      "kubernetes:kubeconfig is set, but the commands that observe the cluster read KUBECONFIG: set " +
        "KUBECONFIG to that file and run pulumi config rm kubernetes:kubeconfig.",
    );
  return config.get("context");
}

/** What of the cluster a preflight looks at. */
export interface ClusterView {
  config: KubeConfig;
  /** The uid of the namespace kube-system: another cluster has another one. */
  uid: string;
  /** The timestamp signer's own record, if the mirror was ever served. */
  timestamp: Record<string, string> | undefined;
  /** The Secret that was asked for, if it is there. */
  certificate: TlsSecret | undefined;
  /** Of the APIs that were asked for, those that it serves. */
  apis: readonly string[];
}

/** What else than the cluster itself is looked at. */
export interface Wanted {
  /** Where the timestamp signer's record would be. */
  timestamp: { namespace: string; name: string };
  /** The certificate of the host names, where a Secret of the user's holds it. */
  certificate: { namespace: string; name: string } | undefined;
  /** APIs that not every cluster has, as GROUP/VERSION. */
  apis: readonly string[];
}

/**
 * Looks at the cluster that the update would change; nothing is changed.
 * @throws UserError when it cannot be reached
 */
export async function viewCluster(
  context: string | undefined,
  wanted: Wanted,
): Promise<ClusterView> {
  // Loaded here: half of what a preview takes is reading modules.
  const { CoreV1Api, CustomObjectsApi } = await import("@kubernetes/client-node");
  const { loadKubeConfig } = await import("../observe/kubeconfig.ts");
  try {
    const config = loadKubeConfig({ context });
    const core = config.makeApiClient(CoreV1Api);
    const custom = config.makeApiClient(CustomObjectsApi);
    const served = async (api: string) => {
      const [group = "", version = ""] = api.split("/");
      return custom.getAPIResources({ group, version }).catch(orNothing);
    };
    const [system, timestamp, certificate, ...lists] = await Promise.all([
      core.readNamespace({ name: "kube-system" }),
      core.readNamespacedConfigMap(wanted.timestamp).catch(orNothing),
      wanted.certificate && core.readNamespacedSecret(wanted.certificate).catch(orNothing),
      ...wanted.apis.map(served),
    ]);
    const apis = wanted.apis.filter((_, index) => lists[index] !== undefined);
    const uid = system.metadata?.uid ?? "";
    return { config, uid, timestamp: timestamp?.data, certificate, apis };
  } catch (error) {
    throw new UserError(
      `The cluster cannot be looked at, so nothing was changed: ${oneLine(error)} ` +
        "Check KUBECONFIG, kubernetes:context and your rights, and run the same command again.",
    );
  }
}

function orNothing(error: unknown): undefined {
  if ((error as { code?: unknown }).code === 404) return undefined;
  throw error;
}
