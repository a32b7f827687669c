import type { Input } from "@pulumi/pulumi";
import { ctLogName, httpPortNames, podPorts, servicePort } from "../names.ts";
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

export interface CtLogArgs extends ServerArgs {
  /** Secret mounted whole at `ctLogSecretMount`; ct_server reads its key `config`. */
  configSecret: Input<string>;
}

const httpPort = podPorts.ctLog;
const metricsPort = 6963;

/** Values of the Release with ct_server, whose trees, keys and configuration are ours. */
export function ctLogValues(args: CtLogArgs): Values {
  return only("ctlog", args.namespace, {
    fullnameOverride: ctLogName,
    ...imagePullSecrets(args.pullSecrets),
    createtree: { enabled: false },
    createctconfig: { enabled: false, secret: args.configSecret },
    server: {
      replicaCount: args.replicas,
      portHTTP: httpPort,
      portHTTPMetrics: metricsPort,
      image: chartImage(args.image),
      service: service(
        args.exposure,
        { name: httpPortNames.ctLog, port: servicePort, targetPort: httpPort },
        { name: "6963-tcp", port: metricsPort, targetPort: metricsPort },
      ),
      ingress: { enabled: false },
      readinessProbe: httpReadiness("/healthz", httpPort),
      livenessProbe: httpLiveness("/healthz", httpPort),
      serviceAccount: { create: true, mountToken: false },
      ...podValues(args, args.sizes.ctLog),
    },
  });
}
