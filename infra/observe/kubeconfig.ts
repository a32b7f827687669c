import { KubeConfig } from "@kubernetes/client-node";
import { CannotRun } from "./errors.ts";

/** Which cluster is meant; without a context the kubeconfig's current one. */
export interface ClusterChoice {
  /** The text of a kubeconfig or the path of one; else KUBECONFIG, ~/.kube/config or the pod's own. */
  kubeconfig?: string | undefined;
  context?: string | undefined;
}

/**
 * The cluster that is meant.
 * @throws CannotRun when there is none, or no such context
 */
export function loadKubeConfig({ kubeconfig, context }: ClusterChoice = {}): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else if (kubeconfig.includes("\n")) config.loadFromString(kubeconfig);
  else config.loadFromFile(kubeconfig);
  // With nothing to load the client makes up a cluster at http://localhost:8080.
  if (config.getCurrentCluster()?.server === "http://localhost:8080") {
    throw new CannotRun("No cluster is configured. Set KUBECONFIG to the stack's cluster.");
  }
  if (context !== undefined) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(context))
      throw new CannotRun(
        `The kubeconfig has no context "${context}" (it has: ${names.join(", ") || "none"}). ` +
          "Name one of these in kubernetes:context, or set KUBECONFIG.",
      );
    config.setCurrentContext(context);
  }
  return config;
}
