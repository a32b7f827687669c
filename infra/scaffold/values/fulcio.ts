import type { Input } from "@pulumi/pulumi";
import { clusterIssuer } from "../../config/issuerUrls.ts";
import { fulcioGrpc, fulcioName, httpPortNames, podPorts, servicePort } from "../names.ts";
import { imagePullSecrets } from "../pullSecrets.ts";
import {
  chartImage,
  httpLiveness,
  httpReadiness,
  only,
  podValues,
  service,
  type ServerArgs,
  type Values,
} from "./common.ts";
import type { FulcioConfig } from "./issuers.ts";

export interface FulcioArgs extends ServerArgs {
  /** Secret with the keys of `fulcioSecretKeys`. */
  secret: Input<string>;
  /** The CT log with its prefix, as Fulcio reaches it. */
  ctLogUrl: Input<string>;
  config: FulcioConfig;
}

const httpPort = podPorts.fulcio;
const metricsPort = 2112;

const grpcPort = {
  name: fulcioGrpc.name,
  port: fulcioGrpc.number,
  targetPort: fulcioGrpc.number,
  // HTTP/2 without TLS: routers and gateways that do not ask annotations ask this.
  appProtocol: "kubernetes.io/h2c",
};

/** Values of the Release with Fulcio, whose CA is ours. */
export function fulcioValues(args: FulcioArgs): Values {
  // The pod's token opens the API's own keys (fulcio, pkg/config).
  const readsClusterKeys = args.config.OIDCIssuers[clusterIssuer]?.Type === "kubernetes";
  return only("fulcio", args.namespace, {
    createcerts: { enabled: false },
    ...imagePullSecrets(args.pullSecrets),
    ctlog: { enabled: false },
    init: { enabled: false },
    config: { format: "json", contents: args.config },
    server: {
      fullnameOverride: fulcioName,
      replicaCount: args.replicas,
      svcPort: servicePort,
      grpcSvcPort: fulcioGrpc.number,
      image: chartImage(args.image),
      secret: args.secret,
      args: {
        port: httpPort,
        grpcPort: fulcioGrpc.number,
        certificateAuthority: "fileca",
        ct_log_url: args.ctLogUrl,
        disable_ct_log: false,
      },
      service: service(
        args.exposure,
        { name: httpPortNames.fulcio, port: servicePort, targetPort: httpPort },
        grpcPort,
        { name: "2112-tcp", port: metricsPort, targetPort: metricsPort },
      ),
      ingress: { http: { enabled: false }, grpc: { enabled: false } },
      serviceAccount: { create: true, mountToken: readsClusterKeys },
      readinessProbe: httpReadiness("/healthz", httpPort),
      livenessProbe: httpLiveness("/healthz", httpPort),
      ...podValues(args, args.sizes.fulcio),
    },
  });
}
