import type { Input } from "@pulumi/pulumi";
import type { HostExposure } from "../../config/exposure.ts";
import type { Front, Port } from "./front.ts";

type RouteExposure = Extract<HostExposure, { type: "route" }>;

/** Routes, as OpenShift's API has them (github.com/openshift/api, route/v1). */
export const routeApi = { apiVersion: "route.openshift.io/v1", kind: "Route" } as const;

export interface RouteSpec {
  host: string;
  path?: string;
  to: { kind: "Service"; name: string };
  /** The name of the Service's port, as the endpoints have it. */
  port: { targetPort: string };
  tls: {
    /**
     * With `reencrypt` and no CA of its own the router checks the pod's certificate against the service
     * CA and the name SERVICE.NAMESPACE.svc.
     */
    termination: RouteExposure["termination"];
    /** Who comes over plain HTTP is sent to HTTPS. */
    insecureEdgeTerminationPolicy: "Redirect";
    externalCertificate?: { name: Input<string> };
  };
}

/** A Route before it has a namespace. */
export interface RouteObject {
  name: string;
  annotations: Record<string, string>;
  spec: RouteSpec;
}

/**
 * The Routes of one host: one for all paths, and one for the gRPC methods, whose backend speaks
 * another protocol. The router takes the longest path.
 * @param secretName of the certificate; the router's own if left out. Referred to and not put into
 *   the Route, where everybody who may look at Routes would read the key.
 */
export function routesOf(
  { name, host, service, http, grpc }: Front,
  { annotations, termination }: RouteExposure,
  secretName: Input<string> | undefined,
): RouteObject[] {
  const spec = (port: Port): RouteSpec => ({
    host,
    to: { kind: "Service", name: service },
    port: { targetPort: port.name },
    tls: {
      termination,
      insecureEdgeTerminationPolicy: "Redirect",
      ...(secretName === undefined ? {} : { externalCertificate: { name: secretName } }),
    },
  });
  const all = { name, annotations, spec: spec(http) };
  if (grpc === undefined) return [all];
  return [
    all,
    { name: `${name}-grpc`, annotations, spec: { ...spec(grpc.port), path: grpc.path } },
  ];
}
