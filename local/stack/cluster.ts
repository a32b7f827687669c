import { writeFileSync } from "node:fs";
import { AuthorizationV1Api, KubeConfig, VersionApi } from "@kubernetes/client-node";
import { oneLine } from "../../cli/errors.ts";
import { LocalError } from "../errors.ts";
import { kubeconfigFile } from "./environment.ts";

/**
 * Points everything that runs here at one cluster: a kubeconfig with that one context is written,
 * after the cluster has answered and has granted what the program needs.
 *
 * @param context a context of the caller's kubeconfig
 * @param space a namespace of the stack, whether it is there or not
 * @throws LocalError when there is no such context, no answer, or no right to deploy
 */
export async function useContext(context: string, space: string): Promise<void> {
  const config = load();
  selectContext(config, context);
  await checkCluster(config, space);
  writeFileSync(kubeconfigFile, single(config), { mode: 0o600 });
}

/** KUBECONFIG or ~/.kube/config. */
function load(): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
  } catch (error) {
    throw new LocalError(
      `The kubeconfig cannot be read (${oneLine(error)}). Set KUBECONFIG to one that exists, or ` +
        "leave it out for ~/.kube/config.",
    );
  }
  return config;
}

function selectContext(config: KubeConfig, context: string): void {
  const names = config.getContexts().map(({ name }) => name);
  if (!names.includes(context))
    throw new LocalError(
      `--context ${context}: the kubeconfig has no such context` +
        (names.length === 0 ? "" : `; it has ${names.join(", ")}`) +
        ". `kubectl config get-contexts` lists them.",
    );
  config.setCurrentContext(context);
}

async function checkCluster(config: KubeConfig, namespace: string): Promise<void> {
  const name = config.getCurrentContext();
  try {
    await config.makeApiClient(VersionApi).getCode();
  } catch (error) {
    throw new LocalError(
      `The cluster of context "${name}" does not answer (${oneLine(error)}). ` +
        "See whether it runs: `kubectl cluster-info`.",
    );
  }
  const review = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({
    body: { spec: { resourceAttributes: { verb: "create", resource: "secrets", namespace } } },
  });
  if (review.status?.allowed !== true)
    throw new LocalError(
      `The user of context "${name}" may not create Secrets in namespace ${namespace}, so nothing ` +
        "was deployed. `npm run anchorhold -- rbac` prints the rights that it needs: let an " +
        "administrator apply them.",
    );
}

/** A kubeconfig of the current context alone. */
function single(config: KubeConfig): string {
  const context = config.getCurrentContext();
  const only = new KubeConfig();
  const [current] = config.getContexts().filter(({ name }) => name === context);
  only.loadFromOptions({
    clusters: config.getClusters().filter(({ name }) => name === current?.cluster),
    users: config.getUsers().filter(({ name }) => name === current?.user),
    contexts: current ? [current] : [],
    currentContext: context,
  });
  return only.exportConfig();
}
