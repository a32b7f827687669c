import * as pulumi from "@pulumi/pulumi";
import { ntpFile, type Ntp } from "../config/ntp.ts";
import { namespace } from "../platform/namespace.ts";
import { componentNamespace, podPorts, tsaSecretKeys } from "../scaffold/names.ts";
import { ntpFileName } from "../scaffold/postrender/outward.ts";
import { ScaffoldRelease } from "../scaffold/release.ts";
import { tlsProxyAnnotations } from "../scaffold/tlsProxy.ts";
import { tsaValues, type Exposure } from "../scaffold/values.ts";
import { trustOptions } from "../trust/record.ts";
import type { TimestampAuthority } from "../trust/timestampAuthority.ts";
import { sharedFile } from "./outward.ts";
import type { ReleaseContext } from "./release.ts";
import { signerSecret } from "./signerSecret.ts";

export interface TsaArgs extends ReleaseContext {
  /** The generation that signs. */
  authority: TimestampAuthority;
  exposure: Exposure;
  replicas: number;
  /** Time servers; it asks none if left out. */
  ntp: Ntp | undefined;
}

/** The timestamp authority (RFC 3161). */
export class Tsa extends pulumi.ComponentResource {
  constructor(name: string, args: TsaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:services:Tsa", name, {}, opts);
    const parent = { parent: this };
    const space = componentNamespace(args.prefix, "tsa");
    const home = namespace(space, args.guard(space), parent);
    const secret = signerSecret(
      `${name}-signer`,
      home.namespace.metadata.name,
      {
        [tsaSecretKeys.privateKey]: args.authority.privateKeyPem,
        // The server wants the variable even where the key has no password.
        [tsaSecretKeys.password]: "",
      },
      parent,
    );
    const ntpConfigMap =
      args.ntp &&
      sharedFile(
        `${name}-ntp`,
        home.namespace.metadata.name,
        { [ntpFileName]: ntpFile(args.ntp) },
        parent,
      );
    new ScaffoldRelease(
      `${name}-release`,
      {
        chart: args.chart,
        namespace: home.namespace.metadata.name,
        name: "tsa",
        values: tsaValues({
          namespace: space,
          image: args.images.timestampServer,
          secret,
          chainPem: args.authority.record.chain.apply((chain) => chain.join("")),
          ...(ntpConfigMap === undefined ? {} : { ntpConfigMap }),
          exposure: args.exposure,
          replicas: args.replicas,
          pullSecrets: args.pullSecrets,
          sizes: args.sizes,
          runAs: args.runAs,
          podAnnotations: tlsProxyAnnotations(args.tlsProxy, { http: podPorts.tsa }),
        }),
      },
      { ...parent, ...trustOptions, dependsOn: [home.guard] },
    );
    this.registerOutputs();
  }
}
