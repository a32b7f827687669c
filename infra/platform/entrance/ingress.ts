import type { types } from "@pulumi/kubernetes";
import type { HostExposure } from "../../config/exposure.ts";
import type { Front, Port } from "./front.ts";

type IngressExposure = Extract<HostExposure, { type: "ingress" }>;

/** An Ingress before it has a namespace. */
export interface IngressObject {
  /** Also part of the resource's name. */
  name: string;
  annotations: Record<string, string>;
  spec: types.input.networking.v1.IngressSpec;
}

/**
 * Pulumi would wait ten minutes for `status.loadBalancer`, which many controllers never fill in
 * (pulumi-kubernetes#1812, #1915). Whether clients get through is what `anchorhold verify` asks.
 */
const unawaited = { "pulumi.com/skipAwait": "true" };

/** Controllers choose a protocol for a whole Ingress, so gRPC has one of its own, by class. */
const grpcByClass: Readonly<Record<string, Record<string, string>>> = {
  nginx: { "nginx.ingress.kubernetes.io/backend-protocol": "GRPC" },
};

/** What makes the controller speak gRPC to its backend; undefined where that is not known. */
export function grpcAnnotationsOf(exposure: IngressExposure): Record<string, string> | undefined {
  return exposure.grpcAnnotations ?? grpcByClass[exposure.className ?? ""];
}

/**
 * The Ingresses of one host: one for HTTP, and one for gRPC where the Service has it and the
 * controller can be told.
 * @param secretName holds the host's certificate, or will hold what cert-manager makes
 */
export function ingressesOf(
  front: Front,
  exposure: IngressExposure,
  secretName: types.input.networking.v1.IngressTLS["secretName"],
): IngressObject[] {
  const { host, service, name } = front;
  const spec = (path: string, pathType: string, { number }: Port) => ({
    ...(exposure.className === undefined ? {} : { ingressClassName: exposure.className }),
    tls: [{ hosts: [host], ...(secretName === undefined ? {} : { secretName }) }],
    rules: [
      {
        host,
        http: {
          paths: [{ path, pathType, backend: { service: { name: service, port: { number } } } }],
        },
      },
    ],
  });
  const common = { ...exposure.annotations, ...unawaited };
  const http: IngressObject = {
    name,
    annotations: { ...common, ...issuerAnnotation(exposure) },
    spec: spec("/", "Prefix", front.http),
  };
  const grpc = grpcAnnotationsOf(exposure);
  if (front.grpc === undefined || grpc === undefined) return [http];
  return [
    http,
    {
      name: `${name}-grpc`,
      // The certificate is asked for once: of two owners cert-manager obeys the first alone.
      annotations: { ...common, ...grpc },
      // ingress-nginx takes no dot in a Prefix (strict-validate-path-type, its issue 11176).
      spec: spec(front.grpc.path, "ImplementationSpecific", front.grpc.port),
    },
  ];
}

/** Of cert-manager's ingress-shim: https://cert-manager.io/docs/usage/ingress/ */
function issuerAnnotation({ tls: { certManager } }: IngressExposure): Record<string, string> {
  if (certManager?.clusterIssuer !== undefined)
    return { "cert-manager.io/cluster-issuer": certManager.clusterIssuer };
  if (certManager?.issuer !== undefined) return { "cert-manager.io/issuer": certManager.issuer };
  return {};
}
