import type * as k8s from "@pulumi/kubernetes";
import { imagePullSecrets } from "../../scaffold/pullSecrets.ts";
import type { Resources } from "../../scaffold/sizes.ts";
import { ownPodSecurity, type RunAs } from "../../scaffold/values.ts";
import { flattenPath } from "../../trust/tuf/repository.ts";
import { nginxContainer } from "./nginx.ts";

export interface ServingPodArgs {
  /** nginx, as a full reference. */
  image: string;
  /** Names of the Secrets that it is pulled with. */
  pullSecrets: readonly string[];
  resources: Resources;
  runAs: RunAs;
  /** The Secret with the certificate, where it takes TLS. */
  certificate?: string | undefined;
}

/**
 * A pod that serves one state of the TUF repository.
 * @param paths of the repository's files below the mirror's URL
 * @param from the ConfigMaps that they are in
 */
export function servingPod(
  { image, pullSecrets, resources, runAs, certificate }: ServingPodArgs,
  paths: readonly string[],
  from: { repository: string; timestamp: { name: string; key: string } },
): k8s.types.input.core.v1.PodSpec {
  const timestampItem = { key: from.timestamp.key, path: "timestamp.json" };
  const fromRepository = (name: string, items: { key: string; path: string }[]) => ({
    name,
    configMap: { name: from.repository, items },
  });
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...imagePullSecrets(pullSecrets),
    securityContext: ownPodSecurity(runAs),
    containers: [nginxContainer(image, resources, certificate !== undefined)],
    volumes: [
      fromRepository(
        "repository",
        paths.map((path) => ({ key: flattenPath(path), path })),
      ),
      fromRepository("config", [{ key: "nginx.conf", path: "nginx.conf" }]),
      // An item that is not there yet keeps a new pod from starting, and one that is lost leaves a
      // running pod with what it has: either way no client meets a mirror without a timestamp.
      { name: "timestamp", configMap: { name: from.timestamp.name, items: [timestampItem] } },
      { name: "tmp", emptyDir: {} },
      ...(certificate === undefined
        ? []
        : [{ name: "certificate", secret: { secretName: certificate, defaultMode: 0o440 } }]),
    ],
  };
}
