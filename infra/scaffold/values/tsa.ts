import type { Input } from "@pulumi/pulumi";
import { httpPortNames, podPorts, servicePort, tsaName } from "../names.ts";
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
}

const httpPort = podPorts.tsa;
const metricsPort = 2112;

/** The chart takes no pull secrets for the TSA, so an annotation tells the post-renderer of them. */
function podAnnotations({ podAnnotations: given, pullSecrets = [] }: TsaArgs): PodAnnotations {
  if (pullSecrets.length === 0) return given ?? {};
  return { ...given, [pullSecretsAnnotation]: pullSecrets.join(",") };
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
      // There are no extra arguments, but the server reads its flags from the environment too.
      // Off because it asks public time servers; the node's clock is the cluster's business.
      env: { "DISABLE-NTP-MONITORING": "true" },
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
