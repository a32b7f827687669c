import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config.ts";
import { namespace } from "../platform/namespace.ts";
import {
  componentNamespace,
  fulcioGrpcPath,
  fulcioSecretKeys,
  podPorts,
} from "../scaffold/names.ts";
import { ScaffoldRelease } from "../scaffold/release.ts";
import { tlsProxyAnnotations } from "../scaffold/tlsProxy.ts";
import { fulcioConfig, fulcioValues, type Exposure } from "../scaffold/values.ts";
import type { FulcioCa } from "../trust/fulcioCa.ts";
import { trustOptions } from "../trust/record.ts";
import { wayOut } from "./outward.ts";
import type { ReleaseContext } from "./release.ts";
import { signerSecret } from "./signerSecret.ts";

export interface FulcioArgs extends ReleaseContext {
  /** The generations in use. */
  uses: { issuesWithCa: number; writesToCtLog: number };
  /** The generation that issues. */
  ca: FulcioCa;
  /** The CT log generation that Fulcio writes to, as the cluster reaches it. */
  ctLogUrl: string;
  issuers: Config["issuers"];
  exposure: Exposure;
  replicas: number;
}

/** The certificate authority. */
export class Fulcio extends pulumi.ComponentResource {
  constructor(name: string, args: FulcioArgs, opts?: pulumi.ComponentResourceOptions) {
    // Plain words for the preview.
    super("anchorhold:services:Fulcio", name, { ...args.uses }, opts);
    const parent = { parent: this };
    const space = componentNamespace(args.prefix, "fulcio");
    const home = namespace(space, args.guard(space), parent);
    const secret = signerSecret(
      `${name}-signer`,
      home.namespace.metadata.name,
      {
        [fulcioSecretKeys.privateKey]: args.ca.privateKeyPem,
        // Fulcio wants the variable even where the key has no password.
        [fulcioSecretKeys.password]: "",
        [fulcioSecretKeys.chain]: args.ca.record.chain.apply((chain) => chain.join("")),
      },
      parent,
    );
    new ScaffoldRelease(
      `${name}-release`,
      {
        chart: args.chart,
        namespace: home.namespace.metadata.name,
        name: "fulcio",
        values: fulcioValues({
          namespace: space,
          image: args.images.fulcioServer,
          secret,
          ctLogUrl: args.ctLogUrl,
          config: fulcioConfig(args.issuers),
          exposure: args.exposure,
          replicas: args.replicas,
          pullSecrets: args.pullSecrets,
          sizes: args.sizes,
          runAs: args.runAs,
          podAnnotations: {
            // To token issuers: their discovery documents and keys.
            ...wayOut(name, home.namespace.metadata.name, args.wayOut, parent),
            ...tlsProxyAnnotations(args.tlsProxy, {
              http: podPorts.fulcio,
              grpc: { port: podPorts.fulcioGrpc, path: fulcioGrpcPath },
            }),
          },
        }),
      },
      { ...parent, ...trustOptions, dependsOn: [home.guard] },
    );
    this.registerOutputs();
  }
}
