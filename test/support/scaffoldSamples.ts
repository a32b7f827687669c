import { publishedImages as images } from "../../infra/scaffold/images.ts";
import { componentNamespace, rekorNamespace, trillianHost } from "../../infra/scaffold/names.ts";
import { caFolder, proxyAnnotation } from "../../infra/scaffold/postrender/outward.ts";
import { sizesOf } from "../../infra/scaffold/sizes.ts";
import type { RunAs, Values } from "../../infra/scaffold/values.ts";
import {
  ctLogValues,
  fulcioConfig,
  fulcioValues,
  rekorValues,
  trillianValues,
  tsaValues,
  type RekorArgs,
  type TrillianArgs,
} from "../../infra/scaffold/values.ts";

/** A Release as the program would install it, with plain strings in place of Outputs. */
export interface Sample {
  release: string;
  namespace: string;
  values: Values;
}

const prefix = "sample";
const sizes = sizesOf();
const slice = { "anchorhold.dev/slice": "0f1e2d3c" };
/** With node ports, images are pulled with these. */
export const pullSecrets = ["registry-login", "second"];
const chainPem = [
  "-----BEGIN CERTIFICATE-----\nbGVhZg==\n-----END CERTIFICATE-----\n",
  "-----BEGIN CERTIFICATE-----\ncm9vdA==\n-----END CERTIFICATE-----\n",
].join("");

/** Inside the cluster only, it gives the user ids as well, as OpenShift does. */
const runAs = (nodePorts: boolean): { runAs?: RunAs } => (nodePorts ? {} : { runAs: "assigned" });

const exposure = (nodePort: number | undefined) =>
  nodePort === undefined
    ? ({ type: "clusterIP" } as const)
    : ({ type: "nodePort", port: nodePort } as const);

type Data = Pick<RekorArgs, "searchIndex" | "attestations">;

const inMemory: Data = { searchIndex: { type: "memory" }, attestations: { type: "none" } };
const onClaims: Data = {
  searchIndex: { type: "claim", claim: "redis-claim" },
  attestations: { type: "claim", claim: "attestation-claim" },
};
const elsewhere: Data = {
  searchIndex: { type: "external", host: "redis.example.org", port: 6380, tls: true },
  attestations: { type: "bucket", url: "s3://attestations?region=eu-central-1" },
};

function rekor(generation: number, nodePort: number | undefined, data: Data): Sample {
  const namespace = rekorNamespace(prefix, generation);
  return {
    release: `rekor-${generation}`,
    namespace,
    values: rekorValues({
      generation,
      namespace,
      images: { server: images.rekorServer, redis: images.redis, curl: images.curl },
      // Larger than a double keeps exactly.
      treeId: "8713049210368475113",
      hostname: "rekor.example.org",
      signerSecret: `rekor-${generation}-signer-1a2b3c4d`,
      trillian: { host: trillianHost(componentNamespace(prefix, "trillian")), port: 8091 },
      exposure: exposure(nodePort),
      replicas: 2,
      sizes,
      podAnnotations: slice,
      ...(nodePort === undefined ? {} : { pullSecrets }),
      ...runAs(nodePort !== undefined),
      ...data,
    }),
  };
}

const ownDatabase = { secret: "database-login-1a2b3c4d", claim: "trillian-mysql" };
const otherDatabase = { host: "mysql.example.org", port: 3307, hasCa: true };

function trillian(database: TrillianArgs["database"], secrets: readonly string[]): Sample {
  const namespace = componentNamespace(prefix, "trillian");
  return {
    release: "trillian",
    namespace,
    values: trillianValues({
      namespace,
      images: {
        logServer: images.trillianLogServer,
        logSigner: images.trillianLogSigner,
        database: images.database,
        netcat: images.netcat,
      },
      database,
      flagSecret: "database-flags-1a2b3c4d",
      replicas: 2,
      sizes,
      podAnnotations: slice,
      pullSecrets: secrets,
    }),
  };
}

/** What pods in a company's network are told of it. */
const corporate = {
  fulcio: {
    podAnnotations: {
      [caFolder.annotation]: "fulcio-ca-bundle-1a2b3c4d",
      [proxyAnnotation("HTTPS_PROXY")]: "http://proxy.example.org:3128",
      [proxyAnnotation("NO_PROXY")]: "localhost,.svc",
    },
  },
  tsa: { ntpConfigMap: "tsa-ntp-1a2b3c4d" },
};

function clientFacing(nodePorts: boolean, more: Partial<typeof corporate> = {}): Sample[] {
  const spaces = {
    ctlog: componentNamespace(prefix, "ctlog"),
    tsa: componentNamespace(prefix, "tsa"),
    fulcio: componentNamespace(prefix, "fulcio"),
  };
  const common = (nodePort: number) => ({
    exposure: exposure(nodePorts ? nodePort : undefined),
    replicas: 2,
    sizes,
    podAnnotations: slice,
    ...(nodePorts ? { pullSecrets } : {}),
    ...runAs(nodePorts),
  });
  const ctlog = ctLogValues({
    namespace: spaces.ctlog,
    image: images.ctServer,
    configSecret: "ctlog-config-1a2b3c4d",
    ...common(31083),
  });
  const tsa = tsaValues({
    namespace: spaces.tsa,
    image: images.timestampServer,
    secret: "tsa-signer-1a2b3c4d",
    chainPem,
    ...common(31082),
    ...more.tsa,
  });
  const fulcio = fulcioValues({
    namespace: spaces.fulcio,
    image: { registry: "localhost", repository: "anchorhold/fulcio", version: "0123456789abcdef" },
    secret: "fulcio-signer-1a2b3c4d",
    ctLogUrl: "http://ctlog.sample-ctlog.svc/ctlog-1",
    config: fulcioConfig([
      { type: "kubernetes", issuer: "https://kubernetes.default.svc", clientId: "sigstore" },
      // Characters that a template, HTML or a shell could take for its own.
      { type: "email", issuer: "https://idp.example.org/?a=1&b=<2>", clientId: "sigstore" },
      { type: "gitlab-pipeline", issuer: "https://gitlab.example.org", clientId: "sigstore" },
      { type: "kubernetes", issuer: "https://oidc.*.example.org/id/*", clientId: "sigstore" },
    ]),
    ...common(31081),
    ...more.fulcio,
  });
  return [
    { release: "ctlog", namespace: spaces.ctlog, values: ctlog },
    { release: "tsa", namespace: spaces.tsa, values: tsa },
    { release: "fulcio", namespace: spaces.fulcio, values: fulcio },
  ];
}

/** Every Release on node ports, inside the cluster only, in a company's network, and with data services that are not ours. */
export const samples: Readonly<Record<string, readonly Sample[]>> = {
  nodePort: [trillian(ownDatabase, pullSecrets), rekor(1, 31091, inMemory), ...clientFacing(true)],
  clusterIP: [rekor(2, undefined, onClaims), ...clientFacing(false)],
  corporate: clientFacing(false, corporate),
  external: [trillian(otherDatabase, []), rekor(1, undefined, elsewhere)],
  noSearch: [rekor(1, undefined, { ...inMemory, searchIndex: { type: "none" } })],
};
