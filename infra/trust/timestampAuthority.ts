import * as pulumi from "@pulumi/pulumi";
import type * as tls from "@pulumi/tls";
import { makeTsaChain, type Subject } from "./certificates.ts";
import { record, windowStart } from "./record.ts";
import { tsaRecord, type TsaRecord } from "./records.ts";
import { signingKey } from "./signingKey.ts";

export interface TimestampAuthorityArgs {
  generation: number;
  /** Names in the certificates, when they are made. */
  subject: Subject;
  /** Where the authority is reached, without a path. */
  uri: string;
  /** The record of the last update, if there is one. */
  known?: TsaRecord | undefined;
  now: Date;
}

/** Long, because older verifiers check the chain at the time of verification. */
const years = 20;

/** One generation of the timestamp authority: the leaf's key, and its chain in a record. */
export class TimestampAuthority extends pulumi.ComponentResource {
  /** PEM of the leaf's key; a secret. The root's key signed this leaf and was never kept. */
  readonly privateKeyPem: pulumi.Output<string>;
  readonly record: pulumi.Output<TsaRecord>;

  constructor(name: string, args: TimestampAuthorityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:trust:TimestampAuthority", name, {}, opts);
    const parent = { parent: this };
    const key = signingKey(`${name}-key`, parent);
    this.privateKeyPem = key.privateKeyPemPkcs8;
    this.record = record(name, tsaRecord, () => makeRecord(args, key), args.known, parent);
    this.registerOutputs({ record: this.record });
  }
}

function makeRecord(args: TimestampAuthorityArgs, key: tls.PrivateKey): pulumi.Output<TsaRecord> {
  const start = windowStart(args.now);
  return key.privateKeyPemPkcs8.apply(async (leafPrivateKeyPem): Promise<TsaRecord> => ({
    apiVersion: "anchorhold/v1",
    generation: args.generation,
    source: "generated",
    start,
    chain: await makeTsaChain({
      leafPrivateKeyPem,
      subject: args.subject,
      notBefore: new Date(start),
      years,
    }),
    uri: args.uri,
  }));
}
