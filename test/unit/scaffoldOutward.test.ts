import { describe, expect, test } from "vitest";
import { outward } from "../../infra/scaffold/postrender/outward.ts";
import { postrender } from "../../infra/scaffold/postrender/rules.ts";
import type { Manifest } from "../../infra/scaffold/postrender/manifest.ts";
import { containerOf, deployment, podOf, specOf } from "../support/manifests.ts";

/** A server as the chart renders it, with annotations from our values. */
function server(part: string, annotations: Record<string, string>): Manifest {
  const env = [{ name: "PASSWORD", value: "x" }];
  const manifest = deployment(part, {
    container: { env, volumeMounts: [{ name: "own" }] },
    pod: { volumes: [{ name: "own" }] },
  });
  const { template } = specOf(manifest);
  template.metadata = { ...template.metadata, annotations };
  return manifest;
}

describe("a server that calls others", () => {
  test("has the CA bundle as a folder beside the image's own authorities", () => {
    const changed = outward(server("fulcio", { "anchorhold.dev/ca-bundle": "bundle-1" }));
    expect(podOf(changed).volumes).toEqual([
      { name: "own" },
      { name: "ca-bundle", configMap: { name: "bundle-1" } },
    ]);
    expect(containerOf(changed)).toMatchObject({
      env: [
        { name: "PASSWORD" },
        { name: "SSL_CERT_DIR", value: "/etc/ssl/certs:/etc/anchorhold/ca" },
      ],
      volumeMounts: [
        { name: "own" },
        { name: "ca-bundle", mountPath: "/etc/anchorhold/ca", readOnly: true },
      ],
    });
  });

  test("has the proxy in its environment, and no volume for it", () => {
    const annotations = {
      "anchorhold.dev/https-proxy": "http://proxy.test:3128",
      "anchorhold.dev/no-proxy": "localhost,.svc",
    };
    const changed = outward(server("fulcio", annotations));
    expect(containerOf(changed).env).toEqual([
      { name: "PASSWORD", value: "x" },
      { name: "HTTPS_PROXY", value: "http://proxy.test:3128" },
      { name: "NO_PROXY", value: "localhost,.svc" },
    ]);
    expect(podOf(changed).volumes).toEqual([{ name: "own" }]);
  });

  test("has its time servers in a file that a variable names", () => {
    const changed = outward(server("tsa", { "anchorhold.dev/ntp": "ntp-1" }));
    expect(containerOf(changed).env).toContainEqual({
      name: "NTP-MONITORING",
      value: "/etc/anchorhold/ntp/ntp.yaml",
    });
    expect(podOf(changed).volumes).toContainEqual({ name: "ntp", configMap: { name: "ntp-1" } });
  });

  test("is as it was without an annotation, and a second run changes nothing", () => {
    const plain = server("fulcio", {});
    expect(outward(plain)).toBe(plain);
    const once = postrender([server("fulcio", { "anchorhold.dev/ca-bundle": "bundle-1" })]);
    expect(postrender(once)).toEqual(once);
  });
});
