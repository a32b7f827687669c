import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { clusterNames, type Proxy } from "../config/proxy.ts";
import type { WayOut } from "../config/wayOut.ts";
import { replaceable } from "../protect.ts";
import { caFolder, proxyAnnotation } from "../scaffold/postrender/outward.ts";
import type { PodAnnotations } from "../scaffold/values.ts";

/**
 * A ConfigMap with a name that Pulumi makes, which never changes: other content is another name, and
 * the pods roll to it. The old one goes only after that.
 */
export function sharedFile(
  name: string,
  namespace: pulumi.Input<string>,
  data: Readonly<Record<string, string>>,
  opts?: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const map = new k8s.core.v1.ConfigMap(
    name,
    { metadata: { namespace }, data, immutable: true },
    { ...opts, ...replaceable },
  );
  return map.metadata.name;
}

/** The annotations that let the post-renderer give a server its way out. */
export function wayOut(
  name: string,
  namespace: pulumi.Input<string>,
  { caBundle, proxy }: WayOut,
  opts?: pulumi.CustomResourceOptions,
): PodAnnotations {
  return {
    ...(caBundle === undefined
      ? {}
      : {
          [caFolder.annotation]: sharedFile(
            `${name}-ca-bundle`,
            namespace,
            { "ca.pem": caBundle },
            opts,
          ),
        }),
    ...(proxy === undefined ? {} : proxyAnnotations(proxy)),
  };
}

/** Kubernetes puts the API's address in place of the variable that every pod has. */
const apiAddress = "$(KUBERNETES_SERVICE_HOST)";

function proxyAnnotations({ https, http, noProxy }: Proxy): PodAnnotations {
  return {
    ...(https === undefined ? {} : { [proxyAnnotation("HTTPS_PROXY")]: https }),
    ...(http === undefined ? {} : { [proxyAnnotation("HTTP_PROXY")]: http }),
    [proxyAnnotation("NO_PROXY")]: [...clusterNames, apiAddress, ...noProxy].join(","),
  };
}
