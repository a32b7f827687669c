import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { edges, podGroups } from "../../infra/platform/networkEdges.ts";
import { networkPolicies, type Peer, type Policy } from "../../infra/platform/networkPolicies.ts";
import { configWith } from "../support/config.ts";
import { hosts } from "../support/tlsSecret.ts";
import { edgeTable } from "../support/networkTable.ts";

const config = configWith();
const policies = networkPolicies(config);
const named = (name: string, from: readonly Policy[] = policies): Policy => {
  const policy = from.find((one) => one.name === name);
  if (policy === undefined) throw new Error(`no policy ${name}`);
  return policy;
};
const space = (name: string): Peer => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": `anchorhold-local-${name}` } },
});
const proberPods = { podSelector: { matchLabels: { "app.kubernetes.io/name": "prober" } } };
const tcp = (port: number) => ({ protocol: "TCP", port });

describe("the policies", () => {
  test("deny everything in each namespace of the stack", () => {
    const denying = policies.filter(({ name }) => name === "default-deny");
    expect(denying.map(({ namespace }) => namespace)).toEqual(
      ["trillian", "ctlog", "tsa", "fulcio", "rekor-1", "tuf"].map(
        (part) => `anchorhold-local-${part}`,
      ),
    );
    for (const { spec } of denying)
      expect(spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  });

  test("let the database be called by the two that keep logs in it, and call nobody", () => {
    const of = (component: string) => ({
      podSelector: { matchLabels: { "app.kubernetes.io/component": component } },
    });
    expect(named("allow-trillian-database").spec).toEqual({
      podSelector: of("mysql").podSelector,
      policyTypes: ["Ingress", "Egress"],
      ingress: ["trillian-logserver", "trillian-logsigner"].map((from) => ({
        from: [{ ...space("trillian"), ...of(from) }],
        ports: [tcp(3306)],
      })),
    });
  });

  test("lead to data services that others run, and only there", () => {
    const elsewhere = configWith({
      database: { external: { host: "mysql.corp.test", port: 3307, user: "trillian" } },
      searchIndex: { external: { host: "redis.corp.test" } },
      attestations: { bucket: "gs://attestations" },
      networkPolicies: {
        database: { cidrs: ["10.1.0.0/24"] },
        searchIndex: { cidrs: ["10.2.0.0/24"] },
        attestations: { cidrs: ["10.3.0.0/24"] },
      },
    });
    const to = (name: string) =>
      (named(name, networkPolicies(elsewhere)).spec.egress ?? []).flatMap(({ to: peers, ports }) =>
        (peers ?? []).flatMap(({ ipBlock }) =>
          ipBlock === undefined ? [] : ports.map(({ port }) => `${ipBlock.cidr} ${port}`),
        ),
      );
    for (const server of ["server", "signer"])
      expect(to(`allow-trillian-log-${server}`)).toEqual(["10.1.0.0/24 3307"]);
    expect(to("allow-rekor-1-server")).toEqual(["10.2.0.0/24 6379", "10.3.0.0/24 443"]);
    for (const unused of ["allow-trillian-database", "allow-rekor-1-index"])
      expect(named(unused, networkPolicies(elsewhere)).spec).not.toHaveProperty("ingress");
  });

  test("let everybody call a service, or those whom the configuration names", () => {
    const prober = { from: [{ ...space("tuf"), ...proberPods }], ports: [tcp(5555)] };
    expect(named("allow-tsa").spec.ingress).toEqual([{ ports: [tcp(5555)] }, prober]);
    expect(named("allow-tsa").spec).not.toHaveProperty("egress");
    const ingress = { namespaceLabels: { "kubernetes.io/metadata.name": "ingress" } };
    const behind = configWith({ networkPolicies: { clientsFrom: ["10.0.0.0/8", ingress] } });
    expect(named("allow-tsa", networkPolicies(behind)).spec.ingress).toEqual([
      {
        from: [
          { ipBlock: { cidr: "10.0.0.0/8" } },
          { namespaceSelector: { matchLabels: ingress.namespaceLabels } },
        ],
        ports: [tcp(5555)],
      },
      prober,
    ]);
  });

  test("let Prometheus alone read the probe's metrics, where the configuration says who that is", () => {
    const labels = { "kubernetes.io/metadata.name": "monitoring" };
    const ingress = (changes: Record<string, unknown>) =>
      named("allow-tuf-prober", networkPolicies(configWith(changes))).spec.ingress;
    expect(ingress({})).toEqual([{ ports: [tcp(9464)] }]);
    expect(ingress({ networkPolicies: { metricsFrom: [{ namespaceLabels: labels }] } })).toEqual([
      { from: [{ namespaceSelector: { matchLabels: labels } }], ports: [tcp(9464)] },
    ]);
  });

  test("name pods' ports, where a Service would have another", () => {
    expect(named("allow-ctlog").spec.ingress).toEqual([
      { from: [space("fulcio")], ports: [tcp(6962)] },
      { ports: [tcp(6962)] },
      { from: [{ ...space("tuf"), ...proberPods }], ports: [tcp(6962)] },
    ]);
  });

  test("let clients come to the port for TLS alone where a Route re-encrypts", () => {
    const exposure = { type: "route", hosts };
    const open = (more: object) => {
      const all = edges(configWith({ platform: "openshift", exposure: { ...exposure, ...more } }));
      const fromClients = all.filter(
        ({ from }) => "surrounding" in from && from.surrounding === "clients",
      );
      return fromClients.map(({ ports }) => ports);
    };
    expect(open({})).toEqual([[5555, 5554], [3000], [5555], [6962], [8080]]);
    expect(open({ termination: "reencrypt" })).toEqual(Array(5).fill([8443]));
  });

  test("let Fulcio ask issuers on the ports of their URLs, and the API only for its own", () => {
    const issuers = (...urls: string[]) =>
      configWith({
        issuers: urls.map((issuer) => ({ issuer, clientId: "sigstore", type: "email" })),
        networkPolicies: { issuers: { cidrs: ["192.0.2.0/24"] } },
      });
    const outside = networkPolicies(issuers("https://a.example", "https://b.example:8443/x"));
    const { egress = [] } = named("allow-fulcio", outside).spec;
    expect(egress).toContainEqual({
      to: [{ ipBlock: { cidr: "192.0.2.0/24" } }],
      ports: [tcp(443), tcp(8443)],
    });
    expect(JSON.stringify(egress)).not.toContain("6443");
    expect(JSON.stringify(named("allow-fulcio").spec.egress)).toContain("6443");
  });

  test("let Fulcio and a bucket's Rekor out to the proxy in place of who is behind it", () => {
    const issuer = (url: string) => ({ issuer: url, clientId: "sigstore", type: "email" });
    const behind = configWith({
      issuers: [issuer("https://a.test"), issuer("https://b.test:8443"), issuer("http://c.test")],
      proxy: { https: "http://proxy.test:3128", noProxy: ["b.test"] },
      attestations: { bucket: "s3://attestations" },
      networkPolicies: {
        issuers: { cidrs: ["192.0.2.0/24"] },
        proxy: { cidrs: ["198.51.100.7/32"] },
      },
    });
    const of = (name: string) => named(name, networkPolicies(behind)).spec.egress ?? [];
    const toProxy = { to: [{ ipBlock: { cidr: "198.51.100.7/32" } }], ports: [tcp(3128)] };
    expect(of("allow-fulcio")).toContainEqual(toProxy);
    expect(of("allow-fulcio")).toContainEqual({
      to: [{ ipBlock: { cidr: "192.0.2.0/24" } }],
      ports: [tcp(80), tcp(8443)], // a scheme without a proxy, and an exception
    });
    expect(of("allow-rekor-1-server")).toContainEqual(toProxy);
    expect(JSON.stringify(policies)).not.toContain("3128");
  });

  test("let the timestamp authority ask time servers, and DNS for them, by UDP", () => {
    const asking = configWith({
      ntp: { servers: ["a.test", "b.test:1123"] },
      networkPolicies: { ntp: { cidrs: ["192.0.2.123/32"] } },
    });
    const { egress = [] } = named("allow-tsa", networkPolicies(asking)).spec;
    expect(egress).toContainEqual({
      to: [{ ipBlock: { cidr: "192.0.2.123/32" } }],
      ports: [
        { protocol: "UDP", port: 123 },
        { protocol: "UDP", port: 1123 },
      ],
    });
    expect(egress).toHaveLength(2);
    expect(egress[1]?.ports).toContainEqual({ protocol: "UDP", port: 53 });
  });

  test("follow a new Rekor generation, whose index only its own server asks", () => {
    const trust = { ...config.trust, rekor: { "1": "active", "2": "announced" } };
    const groups = podGroups({ prefix: "p", trust: trust as unknown as typeof config.trust });
    expect(groups.map(({ name }) => name).filter((name) => name.startsWith("rekor"))).toEqual([
      "rekor-1 server",
      "rekor-1 index",
      "rekor-2 server",
      "rekor-2 index",
    ]);
    const two = edges({ ...config, trust: trust as unknown as typeof config.trust });
    const asked = two.filter(({ ports }) => ports.includes(6379));
    expect(
      asked.map(({ from, to }) => [from, to].map((end) => ("name" in end ? end.name : ""))),
    ).toEqual([
      ["rekor-1 server", "rekor-1 index"],
      ["rekor-2 server", "rekor-2 index"],
    ]);
  });

  test("allow what the configuration adds, from that component alone", () => {
    const egress = [{ from: "trillian", to: "192.0.2.7/32", port: 3306, why: "database outside" }];
    const more = networkPolicies(configWith({ networkPolicies: { egress } }));
    const holding = more.filter(({ spec }) => JSON.stringify(spec).includes("192.0.2.7/32"));
    expect(holding.map(({ name }) => name)).toEqual([
      "allow-trillian-log-server",
      "allow-trillian-log-signer",
      "allow-trillian-database",
    ]);
  });

  test("say each edge at both ends, and nothing else", () => {
    const ends = policies.reduce(
      (sum, { spec }) => sum + (spec.ingress ?? []).length + (spec.egress ?? []).length,
      0,
    );
    const inside = edges(config).flatMap(({ from, to }) =>
      [from, to].filter((end) => "namespace" in end),
    );
    expect(ends).toBe(inside.length);
  });

  test.each([
    [{ clientsFrom: ["10.0.0.0"] }, "anchorhold:networkPolicies.clientsFrom.0: "],
    [{ apiServer: { ports: [0] } }, "anchorhold:networkPolicies.apiServer.ports.0: "],
    [{ off: true }, "anchorhold:networkPolicies: unknown key off"],
  ])("refuses %j and names its place", (networkPolicies_, message) => {
    expect(() => configWith({ networkPolicies: networkPolicies_ })).toThrow(message);
  });
});

test("docs/network.md holds the table of the shipped local stack", () => {
  const docs = readFileSync(new URL("../../docs/network.md", import.meta.url), "utf8");
  expect(docs).toContain(edgeTable(edges(config)));
});
