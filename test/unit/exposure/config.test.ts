import { describe, expect, test } from "vitest";
import {
  exposureProblems,
  exposureSchema,
  platformSchema,
  reencrypts,
} from "../../../infra/config/exposure.ts";
import { hosts } from "../../support/tlsSecret.ts";

const ingress = { type: "ingress", hosts, tls: { secret: "certificates/sigstore-tls" } };
const around = { platform: "openshift", rekorGenerations: ["1"] } as const;

/** What the user reads, each line with its place below anchorhold:exposure. */
function refusals(exposure: unknown): string[] {
  const parsed = exposureSchema.safeParse(exposure);
  if (parsed.success) return exposureProblems(parsed.data, around);
  return parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("the configuration of an exposure", () => {
  test("takes Ingress and Route, and fills in defaults", () => {
    expect(refusals(ingress)).toEqual([]);
    const certManager = { clusterIssuer: "company" };
    expect(refusals({ ...ingress, tls: { certManager } })).toEqual([]);
    expect(exposureSchema.parse({ type: "route", hosts })).toMatchObject({
      termination: "edge",
      annotations: {},
    });
  });

  test("takes hosts of more Rekor generations than there are", () => {
    const rekor = { "1": "rekor-1.example.com", "2": "rekor-2.example.com" };
    expect(refusals({ ...ingress, hosts: { ...hosts, rekor } })).toEqual([]);
  });

  test.each([
    ["an unknown type", { type: "gateway" }, "type: must be one of nodePort, ingress, route"],
    ["an Ingress without TLS", { type: "ingress", hosts }, "tls: is missing"],
    ["TLS from nowhere", { ...ingress, tls: {} }, "tls: must name either a secret or certManager"],
    [
      "TLS from two places",
      { ...ingress, tls: { ...ingress.tls, certManager: { issuer: "a" } } },
      "tls: must name either a secret or certManager",
    ],
    [
      "a Secret without its namespace",
      { ...ingress, tls: { secret: "sigstore-tls" } },
      "tls.secret: must be NAMESPACE/NAME of a Secret, such as certificates/sigstore-tls",
    ],
    [
      "two issuers",
      { ...ingress, tls: { certManager: { issuer: "a", clusterIssuer: "b" } } },
      "tls.certManager: must name either a clusterIssuer or an issuer",
    ],
    [
      "an address for a host",
      { ...ingress, hosts: { ...hosts, tsa: "192.0.2.7" } },
      "hosts.tsa: must be a host name such as rekor.example.com, not an address",
    ],
    [
      "a URL for a host",
      { ...ingress, hosts: { ...hosts, tsa: "https://tsa.example.com" } },
      "hosts.tsa: must be a host name",
    ],
    [
      "a termination that cannot be",
      { type: "route", hosts, termination: "passthrough" },
      "termination: must be one of edge, reencrypt",
    ],
    [
      "two services on one host",
      { ...ingress, hosts: { ...hosts, tsa: hosts.fulcio } },
      "anchorhold:exposure.hosts: fulcio and tsa both have host fulcio.example.com",
    ],
    [
      "two Rekor generations on one host",
      { ...ingress, hosts: { ...hosts, rekor: { "1": "r.example.com", "2": "r.example.com" } } },
      "anchorhold:exposure.hosts: rekor.1 and rekor.2 both have host r.example.com",
    ],
    [
      "a generation without a host",
      { ...ingress, hosts: { ...hosts, rekor: {} } },
      "anchorhold:exposure.hosts.rekor: generation 1 of rekor has no host",
    ],
  ])("refuses %s once, and says what and where", (_what, exposure, expected) => {
    expect(refusals(exposure)).toEqual([expect.stringContaining(expected)]);
  });

  test("takes Routes on OpenShift alone", () => {
    const route = exposureSchema.parse({ type: "route", hosts });
    expect(exposureProblems(route, around)).toEqual([]);
    const reencrypt = exposureSchema.parse({ type: "route", hosts, termination: "reencrypt" });
    expect(exposureProblems(reencrypt, around)).toEqual([]);
    expect([route, reencrypt].map(reencrypts)).toEqual([false, true]);
    expect(exposureProblems(reencrypt, { ...around, platform: "kubernetes" })).toHaveLength(1);
    expect(exposureProblems(route, { ...around, platform: "kubernetes" })).toEqual([
      expect.stringMatching(
        /^anchorhold:exposure\.type: route needs anchorhold:platform openshift/,
      ),
    ]);
  });

  test("knows its platforms", () => {
    expect(platformSchema.parse(undefined)).toBe("kubernetes");
    expect(platformSchema.safeParse("openshfit").error?.issues[0]?.message).toBe(
      "must be one of kubernetes, openshift",
    );
  });
});
