import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { replaceable } from "../../protect.ts";
import { servicePort } from "../../scaffold/names.ts";
import {
  httpsPort,
  servingCertAnnotation,
  servingCertSecret,
  tlsPodPort,
} from "../../scaffold/postrender/tlsProxy.ts";
import type { Exposure } from "../../scaffold/values.ts";
import { mirrorService, tlsServiceName } from "./names.ts";
import { httpPort } from "./nginx.ts";

export interface TufServiceArgs {
  namespace: pulumi.Input<string>;
  /** The pods of one `TufRevision`: a change here is the moment in which clients see it. */
  selector: pulumi.Input<Record<string, string>>;
  exposure: Exposure;
}

/**
 * Sends all clients to one serving state of the TUF mirror. The selector changes in place and at
 * once, from one set of ready pods to another, so no client meets both.
 */
export class TufService extends pulumi.ComponentResource {
  constructor(name: string, args: TufServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:platform:TufService", name, {}, opts);
    new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: {
          name: mirrorService.name,
          namespace: args.namespace,
          labels: { "app.kubernetes.io/name": "tuf" },
        },
        spec: { selector: args.selector, ...reached(args.exposure) },
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}

function reached(exposure: Exposure) {
  const port = { name: mirrorService.port, port: servicePort, targetPort: httpPort };
  return exposure.type === "clusterIP"
    ? { type: "ClusterIP", ports: [port] }
    : { type: "NodePort", ports: [{ ...port, nodePort: exposure.port }] };
}

/**
 * The same for a Route that re-encrypts, and the question for a certificate of this name. Nothing waits
 * for it to lead to ready pods: they wait for its certificate.
 */
export class TufTlsService extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: Pick<TufServiceArgs, "namespace" | "selector">,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("anchorhold:platform:TufTlsService", name, {}, opts);
    const port = { name: httpsPort.name, port: httpsPort.number, targetPort: tlsPodPort };
    new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: {
          name: tlsServiceName,
          namespace: args.namespace,
          labels: { "app.kubernetes.io/name": "tuf" },
          annotations: {
            [servingCertAnnotation]: servingCertSecret(tlsServiceName),
            "pulumi.com/skipAwait": "true",
          },
        },
        spec: { selector: args.selector, type: "ClusterIP", ports: [port] },
      },
      { parent: this, ...replaceable },
    );
    this.registerOutputs();
  }
}
