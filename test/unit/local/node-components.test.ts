import { describe, expect, test } from "vitest";
import * as components from "../../../local/node/components.ts";
import { containerdConfig } from "../../../local/node/containerd.ts";
import { addresses, layoutOf } from "../../../local/node/layout.ts";
import { cniConfig } from "../../../local/node/network.ts";
import { certificates } from "../../../local/node/pki.ts";
import { ports } from "../../../local/node/ports.ts";
import type { ProcessSpec } from "../../../local/node/processes.ts";

const at = layoutOf({ cacheDir: "/c", homeDir: "/h", runDir: "/h/run" });
const bin = "/k8s";
const specs: ProcessSpec[] = [
  components.etcd(at),
  components.apiServer(at, bin),
  components.controllerManager(at, bin),
  components.scheduler(at, bin),
  components.proxy(at, bin),
  components.kubelet(at, bin),
];
const configs = [components.proxyConfig(at), components.kubeletConfig(at)];
const everything = JSON.stringify([specs, configs]);
const argument = (spec: ProcessSpec, name: string): string | undefined =>
  spec.args.find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3);

describe("components", () => {
  test("every port of the table is used, and no part listens on another", () => {
    for (const port of Object.values(ports)) expect(everything).toContain(String(port));
    const known = new Set<string>(Object.values(ports).map(String));
    for (const match of everything.matchAll(/(?:127\.0\.0\.1|0\.0\.0\.0):(\d+)/g)) {
      expect(known).toContain(match[1]);
    }
  });

  test("every key and certificate that is named is made", () => {
    const made = new Set(["ca.crt", "etcd-ca.crt", "sa.key", "sa.pub"]);
    for (const { name } of certificates) {
      made.add(`${name}.crt`).add(`${name}.key`).add(`${name}.kubeconfig`);
    }
    const named = [...everything.matchAll(/\/h\/pki\/([\w.-]+)/g)].map((match) => match[1]!);
    expect(named.length).toBeGreaterThan(15);
    for (const file of named) expect(made).toContain(file);
  });

  test("nothing but the node's own addresses is listened on", () => {
    const api = components.apiServer(at, bin);
    expect(argument(api, "bind-address")).toBe(addresses.node);
    expect(argument(api, "advertise-address")).toBe(addresses.node);
    expect(argument(components.scheduler(at, bin), "bind-address")).toBe("127.0.0.1");
    expect(argument(components.controllerManager(at, bin), "bind-address")).toBe("127.0.0.1");
    expect(components.kubeletConfig(at)).toMatchObject({ address: addresses.node });
    expect(components.proxyConfig(at)).toMatchObject({ nodePortAddresses: ["127.0.0.0/8"] });
  });

  test("tokens name the issuer that Fulcio's issuer type kubernetes expects", () => {
    const api = components.apiServer(at, bin);
    expect(argument(api, "service-account-issuer")).toBe("https://kubernetes.default.svc");
    expect(argument(api, "service-account-jwks-uri")).toBe(
      "https://kubernetes.default.svc/openid/v1/jwks",
    );
  });

  test("etcd asks every client for a certificate and keeps its data outside the run", () => {
    const etcd = components.etcd(at);
    expect(argument(etcd, "client-cert-auth")).toBe("true");
    expect(argument(etcd, "peer-client-cert-auth")).toBe("true");
    expect(argument(etcd, "data-dir")).toBe("/h/etcd");
  });

  test("images are never collected, and a filled disk evicts late", () => {
    expect(components.kubeletConfig(at)).toMatchObject({
      imageGCHighThresholdPercent: 100,
      evictionHard: { "nodefs.available": "500Mi", "imagefs.available": "500Mi" },
    });
  });

  test("components are ended before what they depend on", () => {
    const order = components.componentNames;
    expect(new Set<string>(order)).toEqual(
      new Set([...specs.map(({ name }) => name), "containerd"]),
    );
    expect(order.indexOf("kube-apiserver")).toBeLessThan(order.indexOf("etcd"));
    expect(order.indexOf("kubelet")).toBeLessThan(order.indexOf("containerd"));
  });
});

describe("containerd and the pods' network", () => {
  test("images are cached, everything else is of this run", () => {
    const config = containerdConfig(at, "localhost/anchorhold/pause:1");
    expect(config).toContain('root = "/c/containerd"');
    expect(config).toContain('state = "/h/run/containerd"');
    expect(config).toContain('address = "/h/run/containerd.sock"');
    expect(config).toContain('Root = "/h/run/runc"');
    expect(config).toContain('sandbox_image = "localhost/anchorhold/pause:1"');
    expect(config).toContain("restrict_oom_score_adj = true");
    expect(config).toContain("netns_mounts_under_state_dir = true");
  });

  test("addresses in use are noted in the run, so none outlives it", () => {
    expect(cniConfig("/h/run/cni/addresses")).toMatchObject({
      plugins: [{ bridge: "cni0", ipam: { dataDir: "/h/run/cni/addresses" } }],
    });
  });
});
