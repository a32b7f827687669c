import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { imagesPinned } from "../../../policies/rules/images.ts";
import { podsRestricted } from "../../../policies/rules/pods.ts";
import { limitsSet, requestsSet } from "../../../policies/rules/resources.ts";
import { serversReplicated, serversSpread } from "../../../policies/rules/servers.ts";
import { unknownText, violations } from "./support.ts";

const digest = `sha256:${"a".repeat(64)}`;
const image = `mirror.example.com/sigstore/fulcio@${digest}`;

/** A container that keeps every rule. */
const good = {
  name: "server",
  image,
  resources: { requests: { cpu: "10m", memory: "64Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
  },
};
const podSecurity = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };

function deployment(container: object, pod: object = {}, more: object = {}) {
  const labels = { "app.kubernetes.io/name": "fulcio" };
  const spec = { securityContext: podSecurity, containers: [{ ...good, ...container }], ...pod };
  return {
    type: "kubernetes:apps/v1:Deployment",
    props: {
      metadata: { name: "fulcio-server", namespace: "f", labels },
      spec: { replicas: 2, template: { spec }, ...more },
    },
  };
}
const at = "apps/v1 Deployment f/fulcio-server";

describe("images-pinned", () => {
  const check = (reference: unknown, options?: Parameters<typeof violations>[2]) =>
    violations(imagesPinned, deployment({ image: reference }), options);
  const registries = ["mirror.example.com/sigstore"];
  const built = "localhost/anchorhold/fulcio:0123456789abcdef";

  test("a digest is wanted", async () => {
    expect(await check(image)).toEqual([]);
    expect(await check("ghcr.io/sigstore/fulcio:v1.8.8")).toEqual([
      `${at}: the image of container server must be pinned by digest: add @sha256: and 64 hex digits`,
    ]);
    for (const missing of [undefined, unknownText]) expect(await check(missing)).toHaveLength(1);
  });

  test("where a mirror is named, no other registry", async () => {
    expect(await check(image, { config: { registries } })).toEqual([]);
    for (const other of [
      `ghcr.io/sigstore/fulcio@${digest}`,
      `mirror.example.com.evil/x@${digest}`,
    ])
      expect(await check(other, { config: { registries } })).toEqual([
        `${at}: the image of container server is not from the mirror`,
      ]);
  });

  test("the stack's own mirror is the one that counts, if the rule names none", async () => {
    const other = `ghcr.io/sigstore/fulcio@${digest}`;
    pulumi.runtime.setAllConfig({ "anchorhold:mirror": "mirror.example.com/sigstore" });
    expect(await check(image)).toEqual([]);
    expect(await check(other)).toEqual([
      `${at}: the image of container server is not from the mirror`,
    ]);
    expect(await check(other, { config: { registries: ["ghcr.io"] } })).toEqual([]);
    pulumi.runtime.setAllConfig({});
    expect(await check(other)).toEqual([]);
  });

  test("images of localhost are for the local stack", async () => {
    expect(await check(built, { stack: "local" })).toEqual([]);
    expect(await check(built, { stack: "local", config: { registries } })).toEqual([]);
    expect(await check(built)).toEqual([
      `${at}: the image of container server is built on this machine`,
    ]);
  });

  test("init containers count, in a CronJob too", async () => {
    const template = { spec: { initContainers: [{ name: "wait", image: "busybox" }] } };
    const props = { metadata: { name: "c" }, spec: { jobTemplate: { spec: { template } } } };
    expect(await violations(imagesPinned, { type: "kubernetes:batch/v1:CronJob", props })).toEqual([
      expect.stringContaining("container wait must name its registry"),
    ]);
  });

  test("a pod that a preview does not know is left to the update", async () => {
    const props = { spec: { template: unknownText } };
    const later = { type: "kubernetes:apps/v1:Deployment", props };
    expect(await violations(imagesPinned, later)).toEqual([]);
  });
});

describe("pods-restricted", () => {
  const check = (container: object, pod?: object) =>
    violations(podsRestricted, deployment(container, pod));
  const security = (changes: object) => ({
    securityContext: { ...good.securityContext, ...changes },
  });

  test("a restricted pod", async () => {
    expect(await check({})).toEqual([]);
    expect(
      await check(security({ capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } })),
    ).toEqual([]);
  });

  test.each([
    [security({ runAsNonRoot: false }), {}, "may run as root"],
    [security({ runAsUser: 0 }), {}, "may run as root"],
    [{}, { securityContext: { runAsNonRoot: true } }, "has no seccomp profile"],
    [security({ seccompProfile: { type: "Unconfined" } }), {}, "has no seccomp profile"],
    [{ securityContext: { capabilities: { drop: ["ALL"] } } }, {}, "may get more rights"],
    [security({ privileged: true }), {}, "is privileged"],
    [security({ capabilities: { drop: ["NET_RAW"] } }), {}, "keeps capabilities"],
    [
      security({ capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } }),
      {},
      "is given capabilities",
    ],
    [{ ports: [{ containerPort: 80, hostPort: 80 }] }, {}, "takes a port of the node"],
  ])("%j with %j: %s", async (container, pod, expected) => {
    expect(await check(container, pod)).toEqual([`${at}: container server ${expected}`]);
  });

  test("nothing of the node", async () => {
    const pod = { hostNetwork: true, volumes: [{ name: "v", hostPath: { path: "/" } }] };
    expect(await check({}, pod)).toEqual([
      `${at}: hostNetwork is not false`,
      `${at}: volume v is of kind hostPath`,
    ]);
  });
});

test("requests-set", async () => {
  const check = (resources?: object) => violations(requestsSet, deployment({ resources }));
  expect(await check(good.resources)).toEqual([]);
  expect(await check({ requests: { cpu: "1" } })).toEqual([
    `${at}: container server requests no memory`,
  ]);
  expect(await check({ limits: { cpu: "1", memory: "1Gi" } })).toHaveLength(2);
  expect(await check(undefined)).toHaveLength(2);
});

test("limits-set", async () => {
  const check = (resources?: object) => violations(limitsSet, deployment({ resources }));
  expect(await check({ limits: { memory: "64Mi" } })).toEqual([]);
  const expected = [`${at}: container server has no limit of memory`];
  for (const limits of [{}, { cpu: "1" }, { memory: "" }, { memory: "0" }, { memory: unknownText }])
    expect(await check({ limits })).toEqual(expected);
  expect(await check(good.resources)).toEqual(expected);
  expect(await check(undefined)).toEqual(expected);
});

test("servers-replicated", async () => {
  const check = (replicas?: number, config = {}) =>
    violations(serversReplicated, deployment({}, {}, { replicas }), { config });
  expect(await check(2)).toEqual([]);
  expect(await check(1)).toEqual([`${at} has fewer than 2 replicas`]);
  expect(await check()).toHaveLength(1);
  expect(await check(2, { minimum: 3 })).toEqual([`${at} has fewer than 3 replicas`]);
});

test("servers-spread", async () => {
  const check = (pod: object) => violations(serversSpread, deployment({}, pod));
  expect(await check({ topologySpreadConstraints: [{ maxSkew: 1 }] })).toEqual([]);
  expect(await check({ affinity: { podAntiAffinity: {} } })).toEqual([]);
  expect(await check({})).toEqual([`${at} is not spread over nodes`]);
});
