import { readFileSync } from "node:fs";
import * as YAML from "yaml";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../infra/config.ts";

const file = "Pulumi.local.yaml";

/** The shipped stack's values as Pulumi hands them over: objects as JSON, strings as they are. */
function shipped(): Record<string, unknown> {
  const text = readFileSync(new URL(`../../stacks/${file}`, import.meta.url), "utf8");
  const { config } = YAML.parse(text) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith("anchorhold:"))
      .map(([key, value]) => [key.replace("anchorhold:", ""), value]),
  );
}

function parse(values: Record<string, unknown>) {
  const raw = Object.entries(values).map(([key, value]): [string, string] => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return parseConfig(Object.fromEntries(raw), file);
}

/** What the user reads for the shipped stack with these changes. */
function refusal(changes: Record<string, unknown>): string {
  try {
    parse({ ...shipped(), ...changes });
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the configuration was accepted");
}

const exposure = () => shipped()["exposure"] as { ports: Record<string, unknown>; host: string };
const trust = () => shipped()["trust"] as Record<string, unknown>;

describe("the stack's configuration", () => {
  test("accepts the shipped local stack and fills in defaults", () => {
    const config = parse(shipped());
    const two = { ctLog: 2, rekor: 2, tsa: 2, fulcio: 2, trillianLogServer: 2 };
    expect(config.replicas).toEqual(two);
    expect(parse({ ...shipped(), replicas: { fulcio: 3 } }).replicas).toEqual({
      ...two,
      fulcio: 3,
    });
    expect(config.treeAccess).toEqual({ type: "portForward" });
    expect([config.mirror, config.pullSecrets]).toEqual([undefined, []]);
    expect(config.trust.fulcioCa["1"]).toEqual({ state: "active", source: "generated" });
  });

  test("sizes one server and leaves the others as they are", () => {
    const usual = parse(shipped()).resources;
    const given = { fulcio: { limits: { cpu: "2", memory: "1Gi" } } };
    const { resources } = parse({ ...shipped(), resources: given });
    expect(resources).toEqual({
      ...usual,
      fulcio: { requests: usual.fulcio.requests, limits: { cpu: "2", memory: "1Gi" } },
    });
    for (const { requests, limits } of Object.values(usual)) {
      expect(Object.keys(requests)).toEqual(["cpu", "memory"]);
      expect(Object.keys(limits)).toEqual(["memory"]);
    }
  });

  test("takes a user id, or leaves it to the cluster", () => {
    expect(parse({ ...shipped(), runAsUser: "1000660000" }).runAsUser).toBe(1_000_660_000);
    expect(parse({ ...shipped(), runAsUser: "assigned" }).runAsUser).toBe("assigned");
    expect(parse(shipped()).runAsUser).toBeUndefined();
  });

  test("accepts a mirror and pull secrets", () => {
    const mirror = "registry.example.com:5000/sigstore";
    const config = parse({ ...shipped(), mirror, pullSecrets: ["registry-login"] });
    expect([config.mirror, config.pullSecrets]).toEqual([mirror, ["registry-login"]]);
  });

  test.each([
    ["an unknown key", { sise: "4Gi" }, "anchorhold: unknown key sise"],
    ["a misspelt key inside", { database: { siz: "4Gi" } }, "anchorhold:database: unknown key siz"],
    ["a wrong type", { issuers: "everybody" }, "anchorhold:issuers: Invalid input: expected array"],
    [
      "a host name that is none",
      { exposure: { ...exposure(), host: "https://sigstore.example.com" } },
      "anchorhold:exposure.host: must be a host name such as sigstore.example.com",
    ],
    [
      "a size that is none",
      { database: { size: "4 GB" } },
      "anchorhold:database.size: must be a Kubernetes quantity such as 5Gi",
    ],
    [
      "a generation gap",
      { trust: { ...trust(), rekor: { "1": "active", "3": "announced" } } },
      "anchorhold:trust.rekor: generation 2 is missing",
    ],
    [
      "two active generations",
      { trust: { ...trust(), tsa: { "1": "active", "2": "active" } } },
      "anchorhold:trust.tsa: exactly one generation must be active; 1, 2 are",
    ],
    [
      "a generation without a port",
      { exposure: { ...exposure(), ports: { ...exposure().ports, rekor: {} } } },
      "anchorhold:exposure.ports.rekor: generation 1 of rekor has no port",
    ],
    [
      "two services on one port",
      { exposure: { ...exposure(), ports: { ...exposure().ports, tuf: 31081 } } },
      "anchorhold:exposure.ports: tuf and fulcio both have port 31081",
    ],
    [
      "an unknown platform",
      { platform: "openshfit" },
      "anchorhold:platform: must be one of kubernetes, openshift",
    ],
    [
      "a way to the services that is none",
      { exposure: { type: "gateway" } },
      "anchorhold:exposure.type: must be one of nodePort, ingress, route",
    ],
    [
      "an image without its registry",
      { images: { fulcioServer: "fulcio" } },
      "anchorhold:images.fulcioServer: must be an image reference with its registry",
    ],
    [
      "an image that can be moved",
      { images: { fulcioServer: "ghcr.io/sigstore/fulcio:v1.8.8" } },
      "anchorhold:images.fulcioServer: ghcr.io/sigstore/fulcio:v1.8.8 must be pinned by digest",
    ],
    [
      "an image that is not used",
      { images: { fulcioSrv: `ghcr.io/sigstore/fulcio@sha256:${"a".repeat(64)}` } },
      "anchorhold:images.fulcioSrv: no such image; known are",
    ],
    [
      "a mirror that is no registry reference",
      { mirror: "https://registry.example.com/sigstore" },
      "anchorhold:mirror: must be a registry reference such as registry.example.com/sigstore",
    ],
    [
      "a pull secret that cannot be a Secret",
      { pullSecrets: ["registry-login", "Registry_Login"] },
      "anchorhold:pullSecrets.1: must be the name of a Secret, such as registry-login",
    ],
    [
      "one name in place of a list of pull secrets",
      { pullSecrets: "registry-login" },
      "anchorhold:pullSecrets: Invalid input: expected array",
    ],
    [
      "a server that nobody can size",
      { resources: { mysql: {} } },
      "anchorhold:resources: unknown key mysql",
    ],
    [
      "a size without its unit",
      { resources: { fulcio: { limits: { memory: "512" } } } },
      "anchorhold:resources.fulcio.limits.memory: must be an amount of memory such as 512Mi",
    ],
    [
      "a request above its limit",
      { resources: { redis: { requests: { memory: "2Gi" } } } },
      "anchorhold:resources.redis.requests.memory (2Gi) is above its limit (1024Mi)",
    ],
    ["root", { runAsUser: "0" }, "anchorhold:runAsUser: must be a user id above 0"],
    ["a user's name", { runAsUser: "nobody" }, 'above 0, or "assigned"'],
    [
      "a label that would weaken Pod Security",
      { labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
      "anchorhold:labels: pod-security.kubernetes.io/enforce is the program's",
    ],
    [
      "an address that a shell would read",
      { treeAccess: { type: "given", address: "x;reboot:1" } },
      "anchorhold:treeAccess",
    ],
  ])("refuses %s and names its place", (_what, changes, expected) => {
    expect(refusal(changes)).toContain(expected);
  });

  test("reports every problem at once, with the file to mend", () => {
    const message = refusal({ database: { size: "x" }, prefix: "Not A Label", extra: "1" });
    expect(message).toMatch(/^Pulumi\.local\.yaml has 3 problems; mend them there/);
    expect(message.match(/^ {2}- anchorhold/gm)).toHaveLength(3);
  });
});
