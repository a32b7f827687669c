import { KubeConfig } from "@kubernetes/client-node";
import { CannotRun } from "./errors.ts";

/** The cluster of KUBECONFIG, of ~/.kube/config or of the pod that this runs in. */
export function loadKubeConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  // With nothing to load the client makes up a cluster at http://localhost:8080.
  if (config.getCurrentCluster()?.server === "http://localhost:8080") {
    throw new CannotRun("No cluster is configured. Set KUBECONFIG to the stack's cluster.");
  }
  return config;
}
