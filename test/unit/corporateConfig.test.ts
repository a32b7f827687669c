import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { caBundleProblems } from "../../infra/config/caBundle.ts";
import { ntpFile, ntpSchema } from "../../infra/config/ntp.ts";
import { proxyFor, proxySchema } from "../../infra/config/proxy.ts";
import { rekorWayOut, trillianWayOut } from "../../infra/config/wayOut.ts";
import { configWith, refusal } from "../support/config.ts";
import { PrivateCa } from "../support/privateCa.ts";

const [ca, second, over] = [
  await PrivateCa.create(),
  await PrivateCa.create("Second CA"),
  await PrivateCa.create("Former CA", new Date(Date.now() - 1000)),
];
const leaf = await ca.issue("gitlab.corp.test");

describe("anchorhold:caBundle", () => {
  test("is the certificates alone, each once, whatever stands between them", () => {
    const given = `# Company\r\n${ca.certificatePem}\nsubject: x\n${second.certificatePem}${ca.certificatePem}`;
    expect(configWith({ caBundle: given }).caBundle).toBe(
      ca.certificatePem + second.certificatePem,
    );
    expect(configWith().caBundle).toBeUndefined();
  });

  const request = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n";
  const at = "anchorhold:caBundle";
  test.each([
    ["no certificate", "the CA of the company", `${at}: holds no certificate`],
    ["a file's name", "/etc/ssl/company.pem", `${at}: holds no certificate`],
    ["an end that is missing", ca.certificatePem.slice(0, 200), `${at}: has a PEM block that does`],
    [
      "a server's certificate",
      ca.certificatePem + leaf.certificatePem,
      `${at}: block 2 (CN=server) is no CA's certificate`,
    ],
    [
      "one that is over",
      over.certificatePem,
      `${at}: block 1 (CN=Former CA) expired at ${new Date().toISOString().slice(0, 10)}`,
    ],
    ["a private key", ca.certificatePem + ca.privateKeyPem, `${at}: block 2 is a private key`],
    ["a request", request, `${at}: block 1 is a CERTIFICATE REQUEST, not a CERTIFICATE`],
    [
      "changed bytes",
      ca.certificatePem.replace(/^MII/m, "AAA"),
      `${at}: block 1 cannot be read as a certificate`,
    ],
    ["an object", { pem: "x" }, `${at}: must be CA certificates in PEM, as one text`],
    ["too much", `${"#".repeat(600_000)}${ca.certificatePem}`, `${at}: must be at most 512 KiB`],
  ])("refuses %s and names the block", (_what, caBundle, expected) => {
    const said = refusal({ caBundle });
    expect(said).toContain(expected);
    for (const line of ca.privateKeyPem.split("\n").slice(1, -2)) expect(said).not.toContain(line);
  });

  test("names each bad block of several at once", () => {
    const all = over.certificatePem + ca.certificatePem + leaf.certificatePem;
    expect(caBundleProblems(all, new Date())).toHaveLength(2);
  });
});

describe("anchorhold:proxy", () => {
  test("is a proxy for each scheme, and exceptions", () => {
    const proxy = { https: "http://proxy.corp.test:3128/", noProxy: [".corp.test", "10.0.0.0/8"] };
    expect(configWith({ proxy }).proxy).toEqual({
      ...proxy,
      https: "http://proxy.corp.test:3128",
    });
    expect(configWith().proxy).toBeUndefined();
  });

  const at = "anchorhold:proxy";
  const rule = "must be the URL of a proxy";
  test.each([
    ["nothing", {}, `${at}: must name a proxy: https, http or both`],
    ["exceptions alone", { noProxy: ["a.test"] }, `${at}: must name a proxy`],
    ["a host", { https: "proxy.corp.test:3128" }, `${at}.https: ${rule}`],
    ["another scheme", { http: "socks5://proxy.corp.test" }, `${at}.http: ${rule}`],
    ["a path", { http: "http://proxy.corp.test/x" }, `${at}.http: ${rule}`],
    ["a port that is none", { http: "http://proxy:99999" }, `${at}.http: ${rule}`],
    ["a number", { http: 3128 }, `${at}.http: ${rule}`],
    [
      "a password",
      { https: "http://user:not-shown@proxy.corp.test" },
      `${at}.https: must have no user or password`,
    ],
    ["a user", { https: "http://not-shown@proxy.corp.test" }, `${at}.https: must have no user`],
    [
      "an exception with a scheme",
      { http: "http://p.test", noProxy: ["https://a.test"] },
      `${at}.noProxy.0: must be a host, a domain such as .corp.example`,
    ],
    [
      "a range that is none",
      { http: "http://p.test", noProxy: ["10.0.0.0/33"] },
      `${at}.noProxy.0: must be a host`,
    ],
    [
      "exceptions that would end the list",
      { http: "http://p.test", noProxy: ["a.test,b.test"] },
      `${at}.noProxy.0: must be a host`,
    ],
  ])("refuses %s and names its place", (_what, proxy, expected) => {
    expect(refusal({ proxy })).toContain(expected);
    expect(refusal({ proxy })).not.toContain("not-shown");
  });
});

describe("what goes through the proxy", () => {
  const proxy = proxySchema.parse({
    https: "http://tls.test:3128",
    http: "http://plain.test:3128",
    noProxy: ["corp.test", ".only-below.test", "192.0.2.7", "10.0.0.0/8", "2001:db8::/32"],
  });
  test.each([
    ["https://gitlab.example", "http://tls.test:3128"],
    ["http://gitlab.example", "http://plain.test:3128"],
    ["https://corp.test", undefined],
    ["https://gitlab.corp.test:8443/x", undefined],
    ["https://notcorp.test", "http://tls.test:3128"],
    ["https://only-below.test", "http://tls.test:3128"],
    ["https://a.only-below.test", undefined],
    ["https://192.0.2.7", undefined],
    ["https://192.0.2.8", "http://tls.test:3128"],
    ["https://10.9.8.7", undefined],
    ["https://[2001:db8::1]", undefined],
    ["https://[2001:db9::1]", "http://tls.test:3128"],
    ["http://ctlog.anchorhold-ctlog.svc/ctlog-1", undefined],
    ["https://kubernetes.default.svc", undefined],
    ["https://dex.dex.svc.cluster.local", undefined],
    ["http://localhost:8080", undefined],
    ["http://[::1]:8080", undefined],
  ])("%s: %s", (url, expected) => {
    expect(proxyFor(url, proxy)).toBe(expected);
    expect(proxyFor(url, undefined)).toBeUndefined();
  });

  test("nothing of a scheme that has no proxy", () => {
    expect(proxyFor("http://a.test", { https: "http://p.test", noProxy: [] })).toBeUndefined();
  });
});

describe("who gets out of the cluster", () => {
  const all = { caBundle: ca.certificatePem, proxy: { https: "http://p.test", noProxy: [] } };
  const { caBundle } = all;
  const ofRekor = (changes: Record<string, unknown>) => rekorWayOut(configWith(changes), all);
  const ofTrillian = (tls: object | undefined) =>
    trillianWayOut(
      configWith({ database: { external: { host: "db.test", user: "trillian", tls } } }).database,
      all,
    );

  test("Rekor for what others keep: Redis by TLS with the CAs, a bucket with CAs and proxy", () => {
    const redis = (tls: boolean) => ({ searchIndex: { external: { host: "redis.test", tls } } });
    expect(ofRekor({})).toEqual({});
    expect(ofRekor(redis(false))).toEqual({});
    expect(ofRekor(redis(true))).toEqual({ caBundle });
    expect(ofRekor({ attestations: { bucket: "s3://attestations" } })).toEqual(all);
  });

  test("Trillian for a database that it trusts as the image does", () => {
    expect(trillianWayOut(configWith().database, all)).toEqual({});
    expect(ofTrillian(undefined)).toEqual({});
    expect(ofTrillian({ ca: ca.certificatePem })).toEqual({});
    expect(ofTrillian({ ca: "system" })).toEqual({ caBundle });
  });
});

describe("anchorhold:ntp", () => {
  const servers = ["ntp1.corp.test", "ntp2.corp.test:1123", "[2001:db8::1]:123", "192.0.2.1"];

  test("is none if nothing is said, and takes more than half of the servers for its threshold", () => {
    expect(configWith().ntp).toBeUndefined();
    expect(configWith({ ntp: { servers } }).ntp).toEqual({
      servers,
      threshold: 3,
      maxTimeDelta: 6,
      requestTimeout: 5,
      period: 60,
      access: "direct",
    });
    expect(configWith({ ntp: { servers: ["a.test"] } }).ntp?.threshold).toBe(1);
  });

  const at = "anchorhold:ntp";
  test.each([
    ["no server", { servers: [] }, `${at}.servers: Too small`],
    ["a URL", { servers: ["ntp://a.test"] }, `${at}.servers.0: must be a time server`],
    ["a port that is none", { servers: ["a.test:0"] }, `${at}.servers.0: must be a time server`],
    ["IPv6 without brackets", { servers: ["2001:db8::1"] }, `${at}.servers.0: must be a time`],
    ["one twice", { servers: ["a.test", "a.test"] }, `${at}.servers: has a server twice`],
    ["a threshold that none meets", { servers, threshold: 5 }, `${at}.threshold: is 5, but there`],
    [
      "less patience for the clock than for the answer",
      { servers, maxTimeDelta: 4 },
      `${at}.maxTimeDelta: must be at least requestTimeout, 5`,
    ],
    ["another access", { servers, access: "pod" }, `${at}.access: must be direct or none`],
    ["an unknown key", { servers, server: 1 }, `${at}: unknown key server`],
  ])("refuses %s and names its place", (_what, ntp, expected) => {
    expect(refusal({ ntp })).toContain(expected);
  });

  test("whatever is taken, timestamp-server's monitor starts with it", () => {
    const given = fc.record(
      {
        servers: fc.uniqueArray(fc.constantFrom(...servers), { minLength: 1 }),
        threshold: fc.integer({ min: -1, max: 6 }),
        maxTimeDelta: fc.integer({ min: -1, max: 20 }),
        requestTimeout: fc.integer({ min: -1, max: 20 }),
      },
      { requiredKeys: ["servers"] },
    );
    fc.assert(
      fc.property(given, (value) => {
        const parsed = ntpSchema.safeParse(value);
        if (!parsed.success) return;
        const file = JSON.parse(ntpFile(parsed.data)) as Record<string, number> & {
          servers: string[];
        };
        // What NewFromConfigWithClient asks of it (pkg/ntpmonitor/ntpmonitor.go of v2.1.3).
        expect(file.servers.length).toBeGreaterThanOrEqual(file["num_servers"]!);
        expect(file["server_threshold"]).toBeGreaterThanOrEqual(1);
        expect(file["num_servers"]).toBeGreaterThanOrEqual(file["server_threshold"]!);
        expect(file["request_timeout"]).toBeGreaterThanOrEqual(1);
        expect(file["max_time_delta"]).toBeGreaterThanOrEqual(file["request_timeout"]!);
        // Without an end of its attempts the monitor would ask one server for ever.
        expect(file["request_attempts"]).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});
