import type { Config } from "../config.ts";
import { reencrypts } from "../config/exposure.ts";
import { isCluster } from "../config/issuerUrls.ts";
import { ntpServer } from "../config/ntp.ts";
import { proxyFor } from "../config/proxy.ts";
import {
  podPorts,
  spaces,
  trillianNames,
  trillianPorts,
  type Component,
} from "../scaffold/names.ts";
import { metricsPort } from "./prober/program/settings.ts";
import { mirrorLabels, proberLabels, signerLabels } from "./tuf/labels.ts";

/** Pods of the stack that are alike. */
export interface PodGroup {
  name: string;
  namespace: string;
  component: Component;
  /** Empty where the namespace holds no others. */
  labels: Readonly<Record<string, string>>;
}

/** What is not the stack's own. */
export type Surrounding =
  "clients" | "metrics" | "dns" | "apiServer" | "issuers" | "proxy" | "ntp" | DataService;

/** Of the stack's data, what others run. */
type DataService = "database" | "searchIndex" | "attestations";

/** One end of a connection: pods, a surrounding, or an address range. */
export type End = PodGroup | { surrounding: Surrounding } | { cidr: string };

/** A connection that is allowed; all others are not. */
export interface Edge {
  /** Who opens it. */
  from: End;
  to: End;
  /** Ports of the pod or server that takes it. */
  ports: readonly number[];
  protocols: readonly ("TCP" | "UDP")[];
  why: string;
}

/** What decides which connections there are. */
export type NetworkConfig = Pick<
  Config,
  "prefix" | "trust" | "issuers" | "networkPolicies" | "exposure" | "proxy" | "ntp" | DataService
>;

const component = (name: string) => ({ "app.kubernetes.io/component": name });

/** Several kinds of pods in one namespace are told apart by their labels. */
const parts: Partial<Record<Component, Readonly<Record<string, Record<string, string>>>>> = {
  trillian: {
    "log server": component(trillianNames.logServer),
    "log signer": component(trillianNames.logSigner),
    database: component("mysql"),
  },
  rekor: { server: component("server"), index: component("redis") },
  tuf: { mirror: mirrorLabels, signer: signerLabels, prober: proberLabels },
};

/** Every kind of pod that the stack has, one generation of Rekor after the other. */
export function podGroups({ prefix, trust }: Pick<Config, "prefix" | "trust">): PodGroup[] {
  const generations = Object.keys(trust.rekor).map(Number);
  return spaces(prefix, generations).flatMap(({ namespace, component: of }) => {
    const own = Object.entries(parts[of] ?? { "": {} });
    const called = namespace.slice(prefix.length + 1);
    return own.map(([part, labels]) => ({
      ...{ name: part === "" ? called : `${called} ${part}`, namespace },
      ...{ component: of, labels },
    }));
  });
}

/** The one table of what may connect to what: the policies are made of it, and docs/network.md. */
export function edges(config: NetworkConfig): Edge[] {
  const groups = podGroups(config);
  const of = (kind: Component, part = "") =>
    groups.filter(({ component: one, name }) => one === kind && name.endsWith(part));
  return [
    ...logs(of, config),
    ...backend(of),
    ...rekorData(of, config),
    ...signing(of, config),
    ...clients(of, config),
    ...time(of, config),
    ...probing(of, config),
    ...names(of, config),
    ...config.networkPolicies.egress.flatMap(({ from, to, port, why }) =>
      tcp(of(from), [{ cidr: to }], [port], why),
    ),
  ];
}

type Of = (kind: Component, part?: string) => PodGroup[];

function tcp(from: readonly End[], to: readonly End[], ports: readonly number[], why: string) {
  const protocols = ["TCP"] as const;
  if (ports.length === 0) return [];
  return from.flatMap((one) =>
    to.map((other): Edge => ({ from: one, to: other, ports, protocols, why })),
  );
}

function logs(of: Of, { database }: NetworkConfig): Edge[] {
  const isOther = "external" in database;
  const at = isOther ? [{ surrounding: "database" } as const] : of("trillian", "database");
  const ports = [isOther ? database.external.port : trillianPorts.database];
  return [
    ...tcp(of("trillian", "log server"), at, ports, "keeps the logs"),
    ...tcp(of("trillian", "log signer"), at, ports, "sequences the logs"),
  ];
}

function backend(of: Of): Edge[] {
  const logServer = of("trillian", "log server");
  const { rpc, http } = trillianPorts;
  const servers = of("rekor", "server");
  return [
    ...tcp(of("ctLog"), logServer, [rpc], "adds certificates, asks for tree heads"),
    // Its init container waits until the HTTP port answers.
    ...tcp(servers, logServer, [rpc, http], "adds entries; waits for it to start"),
  ];
}

/** gocloud.dev asks buckets by HTTPS. */
const https = 443;

function rekorData(of: Of, { searchIndex, attestations, proxy }: NetworkConfig): Edge[] {
  const servers = of("rekor", "server");
  const searching = "finds entries by hash and key";
  const isOther = typeof searchIndex === "object" && "external" in searchIndex;
  const ownIndex = servers.flatMap((server) => {
    const own = of("rekor", "index").filter(({ namespace }) => namespace === server.namespace);
    return tcp([server], own, [podPorts.redis], searching);
  });
  const otherIndex = isOther
    ? tcp(servers, [{ surrounding: "searchIndex" }], [searchIndex.external.port], searching)
    : [];
  return [
    ...(isOther || searchIndex === "none" ? otherIndex : ownIndex),
    ...(typeof attestations === "object" && "bucket" in attestations
      ? [
          ...tcp(servers, [{ surrounding: "attestations" }], [https], "keeps attestations"),
          // Which host that is only the bucket's driver knows, so it may be behind the proxy.
          ...tcp(servers, throughProxy, portsOf(proxy?.https), "keeps attestations"),
        ]
      : []),
  ];
}

const throughProxy = [{ surrounding: "proxy" }] as const;

function signing(of: Of, { issuers, networkPolicies, proxy }: NetworkConfig): Edge[] {
  const api = { surrounding: "apiServer" } as const;
  const urls = issuers.map(({ issuer }) => issuer).filter((issuer) => !isCluster(issuer));
  const direct = urls.filter((url) => proxyFor(url, proxy) === undefined);
  const proxies = urls.flatMap((url) => proxyFor(url, proxy) ?? []);
  const isOwn = urls.length < issuers.length;
  return [
    ...tcp(of("fulcio"), of("ctLog"), [podPorts.ctLog], "logs each certificate that it issues"),
    ...(isOwn
      ? tcp(of("fulcio"), [api], networkPolicies.apiServer.ports, "reads the keys of tokens")
      : []),
    ...tcp(
      of("fulcio"),
      [{ surrounding: "issuers" }],
      portsOf(...direct),
      "reads the keys of tokens",
    ),
    ...tcp(of("fulcio"), throughProxy, portsOf(...proxies), "reads the keys of tokens"),
    ...tcp(
      of("tuf", "signer"),
      [api],
      networkPolicies.apiServer.ports,
      "keeps the signed timestamp",
    ),
  ];
}

/** The ports of URLs, each once. */
function portsOf(...urls: readonly (string | undefined)[]): number[] {
  const ports = urls.flatMap((url) => {
    if (url === undefined) return [];
    const { port, protocol } = new URL(url);
    return port === "" ? [protocol === "http:" ? 80 : 443] : [Number(port)];
  });
  return [...new Set(ports)].sort((a, b) => a - b);
}

function time(of: Of, { ntp }: NetworkConfig): Edge[] {
  const ports = new Set((ntp?.servers ?? []).map((server) => ntpServer(server).port));
  if (ports.size === 0) return [];
  return of("tsa").map((from) => ({
    from,
    to: { surrounding: "ntp" },
    ports: [...ports].sort((a, b) => a - b),
    protocols: ["UDP"],
    why: "compares its clock",
  }));
}

/** The probe is a client inside the cluster. */
function probing(of: Of, { networkPolicies }: NetworkConfig): Edge[] {
  const prober = of("tuf", "prober");
  const api = { surrounding: "apiServer" } as const;
  return [
    ...tcp(prober, of("tuf", "mirror"), [podPorts.tuf], "learns what to trust"),
    ...tcp(prober, of("fulcio"), [podPorts.fulcio], "gets certificates"),
    ...tcp(prober, of("rekor", "server"), [podPorts.rekor], "adds, finds and compares entries"),
    ...tcp(prober, of("tsa"), [podPorts.tsa], "gets timestamps"),
    ...tcp(prober, of("ctLog"), [podPorts.ctLog], "compares tree heads"),
    ...tcp(prober, [api], networkPolicies.apiServer.ports, "keeps what it has seen of the logs"),
    ...tcp([{ surrounding: "metrics" }], prober, [metricsPort], "read what the probe found"),
  ];
}

function clients(of: Of, { exposure }: NetworkConfig): Edge[] {
  const from = [{ surrounding: "clients" } as const];
  // A node port leads to HTTP alone; an ingress to both, under one name.
  const grpc = exposure.type === "nodePort" ? [] : [podPorts.fulcioGrpc];
  const open = (...plain: number[]) => (reencrypts(exposure) ? [podPorts.tls] : plain);
  return [
    ...tcp(from, of("fulcio"), open(podPorts.fulcio, ...grpc), "get certificates"),
    ...tcp(from, of("rekor", "server"), open(podPorts.rekor), "add and look up entries"),
    ...tcp(from, of("tsa"), open(podPorts.tsa), "get timestamps"),
    ...tcp(from, of("ctLog"), open(podPorts.ctLog), "audit the log"),
    ...tcp(from, of("tuf", "mirror"), open(podPorts.tuf), "learn what to trust"),
  ];
}

/** Who opens connections by name. */
function names(of: Of, { networkPolicies: { dns }, ntp }: NetworkConfig): Edge[] {
  const callers = [
    ...of("trillian", "log server"),
    ...of("trillian", "log signer"),
    ...of("ctLog"),
    ...of("rekor", "server"),
    ...of("fulcio"),
    ...of("tuf", "signer"),
    ...(ntp === undefined ? [] : of("tsa")),
    ...of("tuf", "prober"),
  ];
  return callers.map((from) => ({
    from,
    to: { surrounding: "dns" },
    ports: dns.ports,
    protocols: ["UDP", "TCP"],
    why: "finds the others by name",
  }));
}
