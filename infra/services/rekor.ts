import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config.ts";
import { rekorWayOut } from "../config/wayOut.ts";
import { namespace } from "../platform/namespace.ts";
import { volumeClaim } from "../platform/volumeClaim.ts";
import { podPorts, rekorNames, rekorNamespace, rekorSecretKey } from "../scaffold/names.ts";
import { ScaffoldRelease } from "../scaffold/release.ts";
import { tlsProxyAnnotations } from "../scaffold/tlsProxy.ts";
import {
  rekorValues,
  type Exposure,
  type RekorArgs as RekorValuesArgs,
} from "../scaffold/values.ts";
import { trustOptions } from "../trust/record.ts";
import type { TransparencyLog } from "../trust/transparencyLog.ts";
import { wayOut } from "./outward.ts";
import type { ReleaseContext } from "./release.ts";
import { signerSecret } from "./signerSecret.ts";

export interface RekorArgs extends ReleaseContext {
  generation: number;
  log: TransparencyLog;
  /** Signed into every checkpoint: the host of the log's base URL. */
  hostname: string;
  backend: { host: string; port: number };
  exposure: Exposure;
  replicas: number;
  searchIndex: Config["searchIndex"];
  attestations: Config["attestations"];
}

interface Home {
  namespace: pulumi.Input<string>;
  /** Begins the claims' names in the cluster. */
  base: string;
}

function searchIndexPlace(
  name: string,
  index: Config["searchIndex"],
  { namespace, base }: Home,
  opts: pulumi.ComponentResourceOptions,
): RekorValuesArgs["searchIndex"] {
  if (typeof index === "string") return { type: index };
  if ("external" in index) return { type: "external", ...index.external };
  const claim = { namespace, claimName: `${base}-search-index`, ...index };
  return { type: "claim", claim: volumeClaim(`${name}-search-index`, claim, opts) };
}

function attestationPlace(
  name: string,
  attestations: Config["attestations"],
  { namespace, base }: Home,
  opts: pulumi.ComponentResourceOptions,
): RekorValuesArgs["attestations"] {
  if (attestations === "none") return { type: "none" };
  if ("bucket" in attestations) return { type: "bucket", url: attestations.bucket };
  const claim = { namespace, claimName: `${base}-attestations`, ...attestations };
  return { type: "claim", claim: volumeClaim(`${name}-attestations`, claim, opts) };
}

/** One Rekor generation: its own server, Redis index, tree, key and address. */
export class Rekor extends pulumi.ComponentResource {
  constructor(name: string, args: RekorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:services:Rekor", name, {}, opts);
    const parent = { parent: this };
    const space = rekorNamespace(args.prefix, args.generation);
    const home = namespace(space, args.guard(space), parent);
    const { name: inNamespace } = home.namespace.metadata;
    const data = { namespace: inNamespace, base: rekorNames(args.generation).base };
    const secret = signerSecret(
      `${name}-signer`,
      home.namespace.metadata.name,
      { [rekorSecretKey]: args.log.privateKeyPem },
      parent,
    );
    new ScaffoldRelease(
      `${name}-release`,
      {
        chart: args.chart,
        namespace: home.namespace.metadata.name,
        name: `rekor-${args.generation}`,
        values: rekorValues({
          generation: args.generation,
          namespace: space,
          images: {
            server: args.images.rekorServer,
            redis: args.images.redis,
            curl: args.images.curl,
          },
          treeId: args.log.record.treeId,
          hostname: args.hostname,
          signerSecret: secret,
          trillian: args.backend,
          exposure: args.exposure,
          replicas: args.replicas,
          searchIndex: searchIndexPlace(name, args.searchIndex, data, parent),
          attestations: attestationPlace(name, args.attestations, data, parent),
          pullSecrets: args.pullSecrets,
          sizes: args.sizes,
          runAs: args.runAs,
          podAnnotations: {
            ...wayOut(name, inNamespace, rekorWayOut(args, args.wayOut), parent),
            ...tlsProxyAnnotations(args.tlsProxy, { http: podPorts.rekor }),
          },
        }),
      },
      { ...parent, ...trustOptions, dependsOn: [home.guard] },
    );
    this.registerOutputs();
  }
}
