import type { Input } from "@pulumi/pulumi";
import { httpPortNames, podPorts, servicePort, tsaName } from "../names.ts";
import { ntpFolder } from "../postrender/outward.ts";
import { pullSecretsAnnotation } from "../postrender/pullSecrets.ts";
import {
  chartImage,
  only,
  podValues,
  service,
  type PodAnnotations,
  type ServerArgs,
  type Values,
} from "./common.ts";

export interface TsaArgs extends ServerArgs {
  /** Secret with the keys of `tsaSecretKeys`. */
  secret: Input<string>;
  /** The certificates in PEM, leaf first, root last; public, in a ConfigMap of the chart. */
  chainPem: Input<string>;
  /** ConfigMap with its time servers (`ntpFileName`); it asks none if left out. */
  ntpConfigMap?: Input<string>;
}

const httpPort = podPorts.tsa;
const metricsPort = 2112;

/** The chart has no value for either, so annotations tell the post-renderer of them. */
function podAnnotations({ podAnnotations: given, pullSecrets = [], ntpConfigMap }: TsaArgs) {
  const annotations: PodAnnotations = {
    ...given,
    ...(pullSecrets.length === 0 ? {} : { [pullSecretsAnnotation]: pullSecrets.join(",") }),
    ...(ntpConfigMap === undefined ? {} : { [ntpFolder.annotation]: ntpConfigMap }),
  };
  return annotations;
}

/** Values of the Release with the timestamp authority; the post-renderer adds its probes. */
export function tsaValues(args: TsaArgs): Values {
  return only("tsa", args.namespace, {
    server: {
      fullnameOverride: tsaName,
      replicaCount: args.replicas,
      svcPort: servicePort,
      image: chartImage(args.image),
      secret: args.secret,
      args: { port: httpPort, signer: "file", cert_chain: args.chainPem },
      // There are no extra arguments, but the server reads its flags from the environment too. By
      // itself it would ask public time servers; the node's clock is the cluster's business.
      ...(args.ntpConfigMap === undefined ? { env: { "DISABLE-NTP-MONITORING": "true" } } : {}),
      service: service(
        args.exposure,
        { name: httpPortNames.tsa, port: servicePort, targetPort: httpPort },
        { name: "metrics", port: metricsPort, targetPort: metricsPort },
      ),
      ingress: { http: { enabled: false } },
      serviceAccount: { create: true, mountToken: false },
      ...podValues(args, args.sizes.tsa),
      podAnnotations: podAnnotations(args),
    },
  });
}
