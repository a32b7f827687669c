import type { Input } from "@pulumi/pulumi";
import { UserError } from "../../errors.ts";
import type { ImageRef } from "../imageRef.ts";
import {
  httpPortNames,
  podPorts,
  rekorNames,
  rekorSecretKey,
  servicePort,
  trillianPorts,
} from "../names.ts";
import { imagePullSecrets } from "../pullSecrets.ts";
import { fixedSizes, type Sizes } from "../sizes.ts";
import {
  chartImage,
  chartInitImage,
  httpLiveness,
  httpReadiness,
  livenessTiming,
  only,
  readinessTiming,
  service,
  servicePorts,
  type Exposure,
  type PodAnnotations,
  type Values,
} from "./common.ts";
import {
  attestationStorage,
  searchFlags,
  type AttestationPlace,
  type SearchIndexPlace,
} from "./rekorData.ts";
import { containerSecurity, podSecurity, type RunAs } from "./security.ts";

export interface RekorArgs {
  /** Part of every name: generations live side by side, each with its own tree, key and host. */
  generation: number;
  namespace: string;
  images: { server: ImageRef; redis: ImageRef; curl: ImageRef };
  /** Trillian's 64-bit tree id in decimal: always a string. */
  treeId: Input<string>;
  /** Signed into every entry for ever. */
  hostname: string;
  /** Secret with the PKCS#8 key under `rekorSecretKey`. */
  signerSecret: Input<string>;
  /** The log server: a host of at least two labels, such as `trillianHost` gives, and its RPC port. */
  trillian: { host: string; port: number };
  exposure: Exposure;
  replicas: number;
  searchIndex: SearchIndexPlace;
  attestations: AttestationPlace;
  sizes: Sizes;
  runAs?: RunAs;
  podAnnotations?: PodAnnotations;
  pullSecrets?: readonly string[];
}

const { rekor: httpPort, redis: redisPort } = podPorts;
const metricsPort = 2112;
const signerMount = { secretMountPath: "/key", secretMountSubPath: "private" };

/** The chart joins `name.forceNamespace`, so the host is cut at its first dot. */
function trillianAddress({ host, port }: RekorArgs["trillian"]) {
  const dot = host.indexOf(".");
  if (dot <= 0 || dot === host.length - 1)
    throw new UserError(
      `Trillian's log server "${host}" cannot be used: the scaffold chart needs a host with a dot. ` +
        "Give its full name, such as trillian-logserver.sigstore-trillian.svc.",
    );
  return {
    enabled: false,
    forceNamespace: host.slice(dot + 1),
    logServer: { name: host.slice(0, dot), portRPC: port, portHTTP: trillianPorts.http },
  };
}

function redis({ generation, images, searchIndex, sizes, runAs }: RekorArgs) {
  if (searchIndex.type === "none") return { enabled: false, hostname: "" };
  if (searchIndex.type === "external")
    return { enabled: false, hostname: searchIndex.host, port: searchIndex.port };
  return {
    enabled: true,
    fullnameOverride: rekorNames(generation).redis,
    replicaCount: 1,
    port: redisPort,
    image: chartImage(images.redis),
    args: ["--bind", "0.0.0.0", "--dir", "/data", "--appendonly", "yes"],
    persistence:
      searchIndex.type === "claim"
        ? { enabled: true, existingClaim: searchIndex.claim }
        : { enabled: false },
    service: {
      type: "ClusterIP",
      ports: servicePorts({ name: "6379-tcp", port: redisPort, targetPort: redisPort }),
    },
    readinessProbe: readinessTiming,
    livenessProbe: livenessTiming,
    resources: sizes.redis,
    securityContext: podSecurity(runAs, 999),
    containerSecurityContext: containerSecurity(),
  };
}

function server(args: RekorArgs) {
  const attestations = attestationStorage(args.attestations);
  return {
    enabled: true,
    fullnameOverride: rekorNames(args.generation).server,
    replicaCount: args.replicas,
    port: httpPort,
    image: chartImage(args.images.server),
    config: { treeID: args.treeId },
    signer: `${signerMount.secretMountPath}/${signerMount.secretMountSubPath}`,
    signerFileSecretOptions: {
      ...signerMount,
      secretName: args.signerSecret,
      privateKeySecretKey: rekorSecretKey,
    },
    extraArgs: [
      `--rekor_server.hostname=${args.hostname}`,
      ...searchFlags(args.searchIndex),
      ...attestations.flags,
    ],
    retrieve_api: { enabled: args.searchIndex.type !== "none" },
    attestation_storage: attestations.values,
    ingress: { enabled: false },
    service: service(
      args.exposure,
      { name: httpPortNames.rekor, port: servicePort, targetPort: httpPort },
      { name: "2112-tcp", port: metricsPort, targetPort: metricsPort },
    ),
    readinessProbe: httpReadiness("/ping", httpPort),
    livenessProbe: httpLiveness("/ping", httpPort),
    resources: args.sizes.rekor,
    securityContext: podSecurity(args.runAs),
    containerSecurityContext: containerSecurity(),
    initContainerSecurityContext: containerSecurity(),
    podAnnotations: args.podAnnotations ?? {},
  };
}

/** Values of the Release with one generation of Rekor v1 and its data. */
export function rekorValues(args: RekorArgs): Values {
  const names = rekorNames(args.generation);
  return only("rekor", args.namespace, {
    fullnameOverride: names.base,
    ...imagePullSecrets(args.pullSecrets),
    // Its Job cannot be switched off: the post-renderer drops it with all that belongs to it.
    createtree: { fullnameOverride: names.createTree },
    backfillredis: { enabled: false },
    mysql: { enabled: false },
    trillian: trillianAddress(args.trillian),
    initContainerImage: { curl: chartInitImage(args.images.curl) },
    initContainerResources: fixedSizes.curl,
    redis: redis(args),
    server: server(args),
  });
}
