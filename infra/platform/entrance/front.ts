import { reencrypts, type HostExposure } from "../../config/exposure.ts";
import {
  componentNamespace,
  ctLogName,
  fulcioGrpc,
  fulcioGrpcPath,
  fulcioName,
  httpPortNames,
  rekorNames,
  rekorNamespace,
  servicePort,
  tsaName,
  tufNamespace,
} from "../../scaffold/names.ts";
import { httpsPort } from "../../scaffold/postrender/tlsProxy.ts";
import { hostsOf } from "../exposure.ts";
import { mirrorService, tlsServiceName } from "../tuf/names.ts";

/** A port of a Service: Ingress knows it by its number, Route by its name. */
export interface Port {
  name: string;
  number: number;
}

/** A host name that clients know, and the Service behind it. */
export interface Front {
  /** Part of the names of what is made for it: `tuf`, `rekor-1`. */
  name: string;
  host: string;
  namespace: string;
  service: string;
  http: Port;
  /** Fulcio alone speaks gRPC too, on the same host: sigstore-java knows one address for both. */
  grpc?: { port: Port; path: string };
}

/**
 * Every host of a stack. Where a Route re-encrypts, TLS in the pod stands before HTTP and gRPC alike.
 * @param generations of Rekor, each with a host of its own
 */
export function fronts(
  exposure: HostExposure,
  prefix: string,
  generations: readonly number[],
): Front[] {
  const hosts = hostsOf(exposure);
  const isTls = reencrypts(exposure);
  const front = (name: string, host: string, namespace: string, service: string, port: string) => ({
    ...{ name, host, namespace, service },
    http: isTls ? httpsPort : { name: port, number: servicePort },
  });
  const mirror = isTls ? tlsServiceName : mirrorService.name;
  const space = (component: "ctlog" | "fulcio" | "tsa") => componentNamespace(prefix, component);
  return [
    front("tuf", hosts.tuf, tufNamespace(prefix), mirror, mirrorService.port),
    front("ctlog", hosts.ctLog, space("ctlog"), ctLogName, httpPortNames.ctLog),
    ...generations.map((n) =>
      front(
        `rekor-${n}`,
        hosts.rekor(n),
        rekorNamespace(prefix, n),
        rekorNames(n).server,
        httpPortNames.rekor,
      ),
    ),
    front("tsa", hosts.tsa, space("tsa"), tsaName, httpPortNames.tsa),
    {
      ...front("fulcio", hosts.fulcio, space("fulcio"), fulcioName, httpPortNames.fulcio),
      grpc: { port: isTls ? httpsPort : fulcioGrpc, path: fulcioGrpcPath },
    },
  ];
}
