import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { publishedImages as images } from "../../infra/scaffold/images.ts";
import { postrenderHash } from "../../infra/scaffold/postrenderFiles.ts";
import { sizesOf } from "../../infra/scaffold/sizes.ts";
import {
  ctLogValues,
  fulcioConfig,
  fulcioValues,
  rekorValues,
  trillianValues,
  tsaValues,
  type Exposure,
  type Values,
} from "../../infra/scaffold/values.ts";

type Tree = Record<string, unknown>;
const components = ["trillian", "ctlog", "rekor", "tsa", "fulcio", "tuf", "copySecretJob"];

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/);
const exposure: fc.Arbitrary<Exposure> = fc.oneof(
  fc.constant<Exposure>({ type: "clusterIP" }),
  fc.integer({ min: 30000, max: 32767 }).map((port): Exposure => ({ type: "nodePort", port })),
);
const replicas = fc.integer({ min: 1, max: 9 });
const sizes = fc.constant(sizesOf());
const server = { namespace: name, exposure, replicas, sizes };

const anyRelease: fc.Arbitrary<{ component: string; values: Values }> = fc.oneof(
  fc
    .record({
      namespace: name,
      database: fc.oneof(
        fc.record({ secret: name, claim: name }),
        fc.record({ host: name, port: fc.integer({ min: 1, max: 65535 }), hasCa: fc.boolean() }),
      ),
      flagSecret: name,
      replicas,
      sizes,
    })
    .map((args) => ({
      component: "trillian",
      values: trillianValues({
        ...args,
        images: {
          logServer: images.trillianLogServer,
          logSigner: images.trillianLogSigner,
          database: images.database,
          netcat: images.netcat,
        },
      }),
    })),
  fc.record({ ...server, configSecret: name }).map((args) => ({
    component: "ctlog",
    values: ctLogValues({ ...args, image: images.ctServer }),
  })),
  fc
    .record({
      ...server,
      generation: fc.integer({ min: 1, max: 99 }),
      treeId: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String),
      hostname: name,
      signerSecret: name,
      searchIndex: fc.oneof(
        fc.constantFrom({ type: "memory" as const }, { type: "none" as const }),
        fc.record({ type: fc.constant("claim" as const), claim: name }),
        fc.record({
          type: fc.constant("external" as const),
          host: name,
          port: fc.integer({ min: 1, max: 65535 }),
          tls: fc.boolean(),
        }),
      ),
      attestations: fc.oneof(
        fc.constant({ type: "none" as const }),
        fc.record({ type: fc.constant("claim" as const), claim: name }),
        fc.record({ type: fc.constant("bucket" as const), url: name }),
      ),
    })
    .map((args) => ({
      component: "rekor",
      values: rekorValues({
        ...args,
        images: { server: images.rekorServer, redis: images.redis, curl: images.curl },
        trillian: { host: "trillian-logserver.a.svc", port: 8091 },
      }),
    })),
  fc.record({ ...server, secret: name, chainPem: name }).map((args) => ({
    component: "tsa",
    values: tsaValues({ ...args, image: images.timestampServer }),
  })),
  fc.record({ ...server, secret: name, ctLogUrl: fc.webUrl() }).map((args) => ({
    component: "fulcio",
    values: fulcioValues({ ...args, image: images.fulcioServer, config: { OIDCIssuers: {} } }),
  })),
);

/** Every key and leaf of the values, as `path=value`. */
function leaves(value: unknown, path = ""): string[] {
  if (value === null || typeof value !== "object") return [`${path}=${String(value)}`];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, `${path}.${key}`));
}

const at = (values: unknown, path: string) =>
  path.split(".").reduce<unknown>((value, step) => (value as Tree | undefined)?.[step], values);

describe("the values of any Release", () => {
  test("switch on the one component that is wanted", () => {
    fc.assert(
      fc.property(anyRelease, ({ component, values }) => {
        const on = components.filter((part) => at(values, `${part}.enabled`) !== false);
        expect(on).toEqual([component]);
      }),
    );
  });

  test("switch every generator off, and let the chart make no namespace", () => {
    const generators: Record<string, string[]> = {
      trillian: ["createdb.enabled"],
      ctlog: ["createtree.enabled", "createctconfig.enabled"],
      rekor: ["backfillredis.enabled", "trillian.enabled", "mysql.enabled"],
      fulcio: ["createcerts.enabled", "ctlog.enabled"],
      tsa: [],
    };
    fc.assert(
      fc.property(anyRelease, ({ component, values }) => {
        for (const path of [...generators[component]!, "namespace.create"])
          expect(at(values, `${component}.${path}`), path).toBe(false);
        expect(at(values, "copySecretJob.copySecretCronJob.enabled")).toBe(false);
        for (const secret of ["rekor", "fulcio", "ctlog", "tsa"])
          expect(at(values, `secrets.${secret}.create`)).toBe(false);
        expect(at(values, "tsa.server.args.signer")).toBe(component === "tsa" ? "file" : undefined);
        if (component === "rekor") expect(at(values, "rekor.server.signer")).toBe("/key/private");
      }),
    );
  });

  test("hold names of Secrets, never a key or a password", () => {
    fc.assert(
      fc.property(anyRelease, ({ values }) => {
        const text = leaves(values);
        expect(text.filter((leaf) => /PRIVATE KEY/.test(leaf))).toEqual([]);
        expect(text.filter((leaf) => /pass(word|wd)/i.test(leaf))).toEqual([]);
      }),
    );
  });

  test("carry the post-renderer's hash, and images by digest", () => {
    fc.assert(
      fc.property(anyRelease, ({ component, values }) => {
        expect(at(values, "global.anchorhold.postrender")).toBe(postrenderHash());
        const versions = leaves(at(values, component)).filter((leaf) => /\.version=/.test(leaf));
        expect(versions.length).toBeGreaterThan(0);
        for (const version of versions) expect(version).toMatch(/sha256:[a-f0-9]{64}$/);
      }),
    );
  });
});

describe("single components", () => {
  const fulcio = (type: "kubernetes" | "email", url: string) =>
    fulcioValues({
      namespace: "a-fulcio",
      image: images.fulcioServer,
      secret: "signer",
      ctLogUrl: "http://ctlog.a-ctlog.svc/ctlog-1",
      config: fulcioConfig([{ type, issuer: url, clientId: "sigstore" }]),
      exposure: { type: "clusterIP" },
      replicas: 1,
      sizes: sizesOf(),
    });

  test("Fulcio gets the cluster's token only where it trusts the cluster's own issuer", () => {
    const token = "fulcio.server.serviceAccount.mountToken";
    expect(at(fulcio("kubernetes", "https://kubernetes.default.svc"), token)).toBe(true);
    expect(at(fulcio("kubernetes", "https://oidc.eks.example.com/id"), token)).toBe(false);
    expect(at(fulcio("email", "https://idp.example.com"), token)).toBe(false);
  });

  const rekor = (host: string) =>
    rekorValues({
      generation: 7,
      namespace: "a-rekor-7",
      images: { server: images.rekorServer, redis: images.redis, curl: images.curl },
      treeId: "9223372036854775807",
      hostname: "rekor.example.com",
      signerSecret: "signer",
      trillian: { host, port: 8091 },
      exposure: { type: "nodePort", port: 31097 },
      replicas: 1,
      sizes: sizesOf(),
      searchIndex: { type: "memory" },
      attestations: { type: "none" },
    });

  test("Rekor's generation is in every name", () => {
    const values = rekor("trillian-logserver.a-trillian.svc");
    expect(at(values, "rekor.fullnameOverride")).toBe("rekor-7");
    expect(at(values, "rekor.server.fullnameOverride")).toBe("rekor-7-server");
    expect(at(values, "rekor.redis.fullnameOverride")).toBe("rekor-7-redis");
    expect(at(values, "rekor.createtree.fullnameOverride")).toBe("rekor-7-createtree");
    expect(at(values, "rekor.server.config.treeID")).toBe("9223372036854775807");
  });

  test("a Trillian host without a dot is refused with an example", () => {
    for (const host of ["trillian", ".svc", "trillian."])
      expect(() => rekor(host)).toThrow(/needs a host with a dot.*trillian-logserver/s);
  });
});
