import { describe, expect, test } from "vitest";
import { nginxConfig } from "../../infra/platform/tuf/nginx.ts";
import { fulcioGrpcPath, podPorts } from "../../infra/scaffold/names.ts";
import type { Manifest } from "../../infra/scaffold/postrender/manifest.ts";
import { postrender } from "../../infra/scaffold/postrender/rules.ts";
import {
  servingCertAnnotation,
  tlsConfigAnnotation,
  tlsProxyAnnotation,
} from "../../infra/scaffold/postrender/tlsProxy.ts";
import { sizesOf } from "../../infra/scaffold/sizes.ts";
import { tlsProxyAnnotations, tlsProxyConfig } from "../../infra/scaffold/tlsProxy.ts";
import { containerOf, deployment, object, podOf, specOf } from "../support/manifests.ts";

const image = `registry.example.com/nginx@sha256:${"a".repeat(64)}`;
const proxy = { image, resources: sizesOf().tlsProxy };
const called = ["fulcio", "ctlog", "tsa", "rekor/server"];

const ready = { httpGet: { path: "/healthz", port: 5555, scheme: "HTTP" }, periodSeconds: 2 };
const plainPort = { name: "http", port: 80, targetPort: 5555, protocol: "TCP" };

/** A server and its Service as the chart renders them with the values of a Route that re-encrypts. */
function server(part: string, annotations = tlsProxyAnnotations(proxy, { http: 5555 })) {
  const manifest = deployment(part, { container: { readinessProbe: ready } });
  const { template, selector } = specOf(manifest);
  template.metadata = { ...template.metadata, annotations: annotations as Record<string, string> };
  const spec = { selector: selector.matchLabels, ports: [plainPort] };
  return [manifest, object("Service", `${part.replace("/", "-")}-service`, { spec })];
}

const of = (manifests: readonly Manifest[], kind: string) =>
  manifests.find((manifest) => manifest.kind === kind);

describe("TLS in front of a server", () => {
  test.each(called)("%s has a container beside it that keeps all rules", (part) => {
    const rendered = postrender(server(part));
    const [, beside, ...others] = podOf(of(rendered, "Deployment")).containers;
    expect(others).toEqual([]);
    expect(beside).toMatchObject({
      name: "tls",
      image,
      resources: proxy.resources,
      ports: [{ name: "https", containerPort: 8443 }],
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ["ALL"] },
      },
      readinessProbe: { httpGet: { path: "/healthz", port: "https", scheme: "HTTPS" } },
      livenessProbe: { tcpSocket: { port: "https" } },
    });
  });

  test("its files are the pod's annotation, the Service's certificate, and an empty folder", () => {
    const pod = podOf(of(postrender(server("fulcio")), "Deployment"));
    const fieldPath = `metadata.annotations['${tlsConfigAnnotation}']`;
    expect(pod.volumes).toEqual([
      {
        name: "tls-config",
        downwardAPI: { items: [{ path: "nginx.conf", fieldRef: { apiVersion: "v1", fieldPath } }] },
      },
      {
        name: "tls-certificate",
        secret: { secretName: "fulcio-service-serving-cert", defaultMode: 0o440 },
      },
      { name: "tls-tmp", emptyDir: {} },
    ]);
    const mounted = pod.containers[1]?.volumeMounts as { name: string }[];
    expect(mounted.map(({ name }) => name)).toEqual(["tls-config", "tls-certificate", "tls-tmp"]);
  });

  test("ends before the server, which has time for what is under way", () => {
    const pod = podOf(of(postrender(server("tsa")), "Deployment"));
    const sleeps = pod.containers.map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds);
    expect(sleeps).toEqual([10, 6]);
    expect(pod.terminationGracePeriodSeconds).toBe(40);
  });

  test("its Service has one port more, and asks for a certificate", () => {
    const service = of(postrender(server("ctlog")), "Service");
    expect(service?.metadata.annotations).toEqual({
      [servingCertAnnotation]: "ctlog-service-serving-cert",
    });
    expect((service?.spec as { ports: object[] }).ports).toEqual([
      plainPort,
      { name: "https", port: 443, targetPort: 8443, protocol: "TCP" },
    ]);
  });

  test("leaves other Services alone, and running it again changes nothing", () => {
    const spec = { selector: { "app.kubernetes.io/name": "other" }, ports: [plainPort] };
    const other = object("Service", "other", { spec });
    const once = postrender([...server("rekor/server"), other, deployment("rekor/redis")]);
    expect(once).toContainEqual(other);
    expect(
      podOf(once.find(({ metadata }) => metadata.name === "rekor-redis")).containers,
    ).toHaveLength(1);
    expect(postrender(once)).toEqual(once);
  });

  test("is nowhere without the annotation", () => {
    const rendered = postrender(server("fulcio", tlsProxyAnnotations(undefined, { http: 5555 })));
    expect(podOf(of(rendered, "Deployment")).containers).toHaveLength(1);
    expect(containerOf(of(rendered, "Deployment")).lifecycle?.preStop).toEqual({
      sleep: { seconds: 6 },
    });
    expect(JSON.stringify(rendered)).not.toContain(servingCertAnnotation);
  });

  test.each([
    ["no Service", (all: Manifest[]) => all.slice(0, 1)],
    ["two Services", ([one, two]: Manifest[]) => [one!, two!, structuredClone(two!)]],
  ])("is refused with %s, since the certificate is in its name", (_what, change) => {
    expect(() => postrender(change(server("fulcio")))).toThrow(
      "apps/v1 Deployment a/fulcio: TLS needs one Service that leads there, and no other",
    );
  });

  test("is refused where the server says no path to ask", () => {
    const [manifest, service] = server("fulcio");
    delete containerOf(manifest)["readinessProbe"];
    expect(() => postrender([manifest!, service!])).toThrow(/no path says over TLS whether/);
  });
});

describe("its annotations", () => {
  test("hold the image, the sizes and the configuration, and no secret", () => {
    const annotations = tlsProxyAnnotations(proxy, { http: 3000 });
    expect(Object.keys(annotations)).toEqual([tlsProxyAnnotation, tlsConfigAnnotation]);
    expect(JSON.parse(annotations[tlsProxyAnnotation] as string)).toEqual(proxy);
  });
});

describe("its configuration", () => {
  const grpc = { port: podPorts.fulcioGrpc, path: fulcioGrpcPath };
  /** The lines within a block, each without its indentation. */
  const lines = (text: string) => text.split("\n").map((line) => line.trim());

  test("passes everything on to the server in the same pod", () => {
    const config = lines(tlsProxyConfig({ http: 6962 }));
    expect(config).toContain("listen 8443 ssl;");
    expect(config).toContain("proxy_pass http://127.0.0.1:6962;");
    expect(config.join()).not.toContain("grpc");
  });

  test("passes the methods of gRPC to the other port, under the same authority", () => {
    const config = lines(tlsProxyConfig({ http: 5555, grpc }));
    expect(config).toContain("listen 8443 ssl http2;");
    expect(config).toContain(
      "location /dev.sigstore.fulcio.v2.CA/ { grpc_pass grpc://127.0.0.1:5554; }",
    );
  });

  test.each([
    ["a proxy", tlsProxyConfig({ http: 5555, grpc })],
    ["the mirror", nginxConfig(true)],
  ])(
    "of %s names the certificate by a variable, so that it is read at each handshake",
    (_, text) => {
      expect(lines(text)).toEqual(
        expect.arrayContaining([
          'map $ssl_server_name $serving_certificate { default "/etc/serving-cert/tls"; }',
          "ssl_certificate $serving_certificate.crt;",
          "ssl_certificate_key $serving_certificate.key;",
        ]),
      );
    },
  );

  test("of the mirror keeps no connection, with TLS or without, and differs in nothing else", () => {
    const [plain, secured] = [nginxConfig(false).split("\n"), nginxConfig(true).split("\n")];
    expect(lines(secured.join("\n"))).toContain("keepalive_timeout 0;");
    expect(secured.filter((line) => !plain.includes(line)).map((line) => line.trim())).toEqual([
      'map $ssl_server_name $serving_certificate { default "/etc/serving-cert/tls"; }',
      "listen 8443 ssl;",
      "ssl_certificate $serving_certificate.crt;",
      "ssl_certificate_key $serving_certificate.key;",
    ]);
    expect(plain.join("\n")).not.toContain("ssl");
  });
});
