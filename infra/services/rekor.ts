import * as pulumi from "@pulumi/pulumi";
import { namespace } from "../platform/namespace.ts";
import { rekorNamespace, rekorSecretKey } from "../scaffold/names.ts";
import { ScaffoldRelease } from "../scaffold/release.ts";
import { rekorValues, type Exposure } from "../scaffold/values.ts";
import { trustOptions } from "../trust/record.ts";
import type { TransparencyLog } from "../trust/transparencyLog.ts";
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
}

/** One Rekor generation: its own server, Redis index, tree, key and address. */
export class Rekor extends pulumi.ComponentResource {
  constructor(name: string, args: RekorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:services:Rekor", name, {}, opts);
    const parent = { parent: this };
    const space = rekorNamespace(args.prefix, args.generation);
    const home = namespace(space, args.guard(space), parent);
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
          pullSecrets: args.pullSecrets,
          sizes: args.sizes,
          runAs: args.runAs,
        }),
      },
      { ...parent, ...trustOptions, dependsOn: [home.guard] },
    );
    this.registerOutputs();
  }
}
