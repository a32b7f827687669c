import { describe, expect, test } from "vitest";
import { exposureSchema, type HostExposure } from "../../../infra/config/exposure.ts";
import { fronts, type Front } from "../../../infra/platform/entrance/front.ts";
import { ingressesOf } from "../../../infra/platform/entrance/ingress.ts";
import { routesOf } from "../../../infra/platform/entrance/route.ts";
import { hosts } from "../../support/tlsSecret.ts";

type Ingress = Extract<HostExposure, { type: "ingress" }>;
type Route = Extract<HostExposure, { type: "route" }>;
const ingress = (more: object = {}) =>
  exposureSchema.parse({
    ...{ type: "ingress", hosts, className: "nginx", tls: { secret: "some/tls" } },
    ...more,
  }) as Ingress;
const route = (more: object = {}) =>
  exposureSchema.parse({ type: "route", hosts, ...more }) as Route;
const all = fronts(ingress(), "sample", [1]);
const named = (name: string): Front => all.find((front) => front.name === name)!;

describe("the hosts of a stack", () => {
  test("lead to each Service in its own namespace", () => {
    const lines = all.map(
      ({ host, namespace, service, http }) =>
        `${host} ${namespace}/${service}:${http.number} (${http.name})`,
    );
    expect(lines).toEqual([
      "tuf.example.com sample-tuf/tuf:80 (http)",
      "ctlog.example.com sample-ctlog/ctlog:80 (6962-tcp)",
      "rekor-1.example.com sample-rekor-1/rekor-1-server:80 (3000-tcp)",
      "tsa.example.com sample-tsa/tsa-server:80 (http)",
      "fulcio.example.com sample-fulcio/fulcio-server:80 (http)",
    ]);
  });

  test("Fulcio's has gRPC besides", () => {
    const grpc = { port: { name: "grpc", number: 5554 }, path: "/dev.sigstore.fulcio.v2.CA/" };
    expect(all.flatMap((front) => front.grpc ?? [])).toEqual([grpc]);
  });
});

describe("an Ingress", () => {
  test("sends a host's every path to its Service, with TLS", () => {
    const annotations = { "nginx.ingress.kubernetes.io/proxy-body-size": "32m" };
    const backend = { service: { name: "rekor-1-server", port: { number: 80 } } };
    expect(ingressesOf(named("rekor-1"), ingress({ annotations }), "tls-1")).toEqual([
      {
        name: "rekor-1",
        annotations: { ...annotations, "pulumi.com/skipAwait": "true" },
        spec: {
          ingressClassName: "nginx",
          tls: [{ hosts: ["rekor-1.example.com"], secretName: "tls-1" }],
          rules: [
            {
              host: "rekor-1.example.com",
              http: { paths: [{ path: "/", pathType: "Prefix", backend }] },
            },
          ],
        },
      },
    ]);
  });

  test("of Fulcio has a second one beside it for gRPC, on the same host and certificate", () => {
    const [http, grpc, ...others] = ingressesOf(named("fulcio"), ingress(), "tls-1");
    expect(others).toEqual([]);
    expect(grpc?.name).toBe("fulcio-grpc");
    expect(grpc?.annotations).toEqual({
      "pulumi.com/skipAwait": "true",
      "nginx.ingress.kubernetes.io/backend-protocol": "GRPC",
    });
    expect(grpc?.spec.tls).toEqual(http?.spec.tls);
    expect(grpc?.spec.rules).toEqual([
      {
        host: "fulcio.example.com",
        http: {
          paths: [
            {
              path: "/dev.sigstore.fulcio.v2.CA/",
              pathType: "ImplementationSpecific",
              backend: { service: { name: "fulcio-server", port: { number: 5554 } } },
            },
          ],
        },
      },
    ]);
  });

  test("of a class that is not known gets gRPC only by annotations of the user's", () => {
    const count = (more: object) => ingressesOf(named("fulcio"), ingress(more), "tls-1").length;
    expect(count({ className: "traefik" })).toBe(1);
    expect(count({ className: undefined })).toBe(1);
    const own = { "haproxy.org/server-proto": "h2" };
    const given = ingress({ className: "haproxy", grpcAnnotations: own });
    expect(ingressesOf(named("fulcio"), given, "tls-1")[1]?.annotations).toMatchObject(own);
  });

  test.each([
    [{ clusterIssuer: "company" }, { "cert-manager.io/cluster-issuer": "company" }],
    [{ issuer: "team" }, { "cert-manager.io/issuer": "team" }],
  ])("asks cert-manager once for each host: %o", (certManager, annotation) => {
    const exposure = ingress({ tls: { certManager } });
    const [http, grpc] = ingressesOf(named("fulcio"), exposure, "fulcio-tls");
    expect(http?.annotations).toMatchObject(annotation);
    expect(Object.keys(grpc?.annotations ?? {}).join()).not.toContain("cert-manager");
    expect(grpc?.spec.tls).toEqual([{ hosts: ["fulcio.example.com"], secretName: "fulcio-tls" }]);
  });
});

describe("a Route", () => {
  test("ends TLS in the router, with the router's own certificate", () => {
    const annotations = { "haproxy.router.openshift.io/timeout": "60s" };
    expect(routesOf(named("ctlog"), route({ annotations }), undefined)).toEqual([
      {
        name: "ctlog",
        annotations,
        spec: {
          host: "ctlog.example.com",
          to: { kind: "Service", name: "ctlog" },
          port: { targetPort: "6962-tcp" },
          tls: { termination: "edge", insecureEdgeTerminationPolicy: "Redirect" },
        },
      },
    ]);
  });

  test("refers to a certificate and never holds its key", () => {
    const [only] = routesOf(named("tsa"), route(), "tls-1");
    expect(only?.spec.tls.externalCertificate).toEqual({ name: "tls-1" });
  });

  test("that re-encrypts leads to the port for TLS, and names no CA for the router to trust", () => {
    const exposure = route({ termination: "reencrypt" });
    const routes = fronts(exposure, "sample", [1]).flatMap((front) =>
      routesOf(front, exposure, undefined),
    );
    expect(
      routes.map(({ spec: { host, path = "/", to, port } }) =>
        [host + path, to.name, port.targetPort].join(" "),
      ),
    ).toEqual([
      "tuf.example.com/ tuf-tls https",
      "ctlog.example.com/ ctlog https",
      "rekor-1.example.com/ rekor-1-server https",
      "tsa.example.com/ tsa-server https",
      "fulcio.example.com/ fulcio-server https",
      "fulcio.example.com/dev.sigstore.fulcio.v2.CA/ fulcio-server https",
    ]);
    for (const { spec } of routes)
      expect(spec.tls).toEqual({
        termination: "reencrypt",
        insecureEdgeTerminationPolicy: "Redirect",
      });
  });

  test("of Fulcio has a second one beside it for the paths of gRPC", () => {
    const [, grpc] = routesOf(named("fulcio"), route(), undefined);
    expect(grpc).toMatchObject({
      name: "fulcio-grpc",
      spec: {
        host: "fulcio.example.com",
        path: "/dev.sigstore.fulcio.v2.CA/",
        port: { targetPort: "grpc" },
      },
    });
  });
});
