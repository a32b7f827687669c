import { X509Certificate } from "node:crypto";
import { servingCertAnnotation } from "../../../infra/scaffold/postrender/tlsProxy.ts";
import { refOf } from "../../../local/pulumi/kubernetes/cluster.ts";
import type { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import { listAt, objectAt, textAt, type Props, type Value } from "../../../local/pulumi/values.ts";

/** Where an Ingress or a Route leads to. */
export interface Entered {
  service: Props;
  /** By number (Ingress) or by name (Route). */
  port: Value | undefined;
}

interface Rule {
  namespace: string;
  host: string;
  path: string;
  service: string;
  port: Value | undefined;
}

/**
 * The Service that a controller would take for a URL: of the host's rules the one with the longest
 * path. Undefined where there is none, or no TLS because a certificate is missing.
 */
export function entrance(cluster: MemoryCluster, url: string): Entered | undefined {
  const { hostname, pathname } = new URL(url);
  const all = cluster.all();
  const [rule] = all
    .flatMap((object) => [...ingressRules(object, all), ...routeRules(object, all)])
    .filter(({ host, path }) => host === hostname && pathname.startsWith(path))
    .sort((a, b) => b.path.length - a.path.length);
  const service = rule && find(all, "Service", rule.namespace, rule.service);
  return service && { service, port: rule?.port };
}

function ingressRules(object: Props, all: readonly Props[]): Rule[] {
  const { apiVersion, kind, namespace } = refOf(object);
  if (apiVersion !== "networking.k8s.io/v1" || kind !== "Ingress") return [];
  const secured = listAt(object, "spec", "tls")
    .filter((tls) => isCertificate(find(all, "Secret", namespace, textAt(tls, "secretName"))))
    .flatMap(({ hosts }) => hosts as string[]);
  return listAt(object, "spec", "rules")
    .filter((rule) => secured.includes(textAt(rule, "host")))
    .flatMap((rule) =>
      listAt(rule, "http", "paths").map((entry) => ({
        namespace,
        host: textAt(rule, "host"),
        path: textAt(entry, "path"),
        service: textAt(entry, "backend", "service", "name"),
        port: objectAt(entry, "backend", "service", "port")["number"],
      })),
    );
}

function routeRules(object: Props, all: readonly Props[]): Rule[] {
  const { apiVersion, kind, namespace } = refOf(object);
  if (apiVersion !== "route.openshift.io/v1" || kind !== "Route") return [];
  const own = textAt(object, "spec", "tls", "externalCertificate", "name");
  if (own !== "" && !isCertificate(find(all, "Secret", namespace, own))) return [];
  const termination = textAt(object, "spec", "tls", "termination");
  const to = textAt(object, "spec", "to", "name");
  if (termination === "reencrypt" && !isServiceCertificate(all, namespace, to)) return [];
  return [
    {
      namespace,
      host: textAt(object, "spec", "host"),
      path: textAt(object, "spec", "path") || "/",
      service: to,
      port: objectAt(object, "spec", "port")["targetPort"],
    },
  ];
}

function isCertificate(secret: Props | undefined): boolean {
  return secret?.["type"] === "kubernetes.io/tls";
}

/** Whether the Service has a certificate of its own name, which the router looks for in the pod's. */
function isServiceCertificate(all: readonly Props[], namespace: string, name: string): boolean {
  const service = find(all, "Service", namespace, name);
  const secret = textAt(service ?? {}, "metadata", "annotations", servingCertAnnotation);
  const pem = textAt(find(all, "Secret", namespace, secret) ?? {}, "data", "tls.crt");
  if (pem === "") return false;
  const certificate = new X509Certificate(Buffer.from(pem, "base64"));
  return certificate.checkHost(`${name}.${namespace}.svc`) !== undefined;
}

function find(all: readonly Props[], kind: string, namespace: string, name: string) {
  return all.find((object) => {
    const ref = refOf(object);
    return ref.kind === kind && ref.namespace === namespace && ref.name === name;
  });
}
