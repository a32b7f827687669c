import * as pulumi from "@pulumi/pulumi";
import type * as tls from "@pulumi/tls";
import { makeFulcioCa, type Subject } from "./certificates.ts";
import { record, windowStart } from "./record.ts";
import { fulcioCaRecord, type FulcioCaRecord } from "./records.ts";
import { signingKey } from "./signingKey.ts";

export interface FulcioCaArgs {
  generation: number;
  /** Names in the certificate, when it is made. */
  subject: Subject;
  /** Where Fulcio is reached; informational in the trusted root. */
  uri: string;
  /** The record of the last update, if there is one. */
  known?: FulcioCaRecord | undefined;
  /** Nothing will be signed with it any more: the private key is destroyed, the record stays. */
  keyless?: boolean;
  now: Date;
}

/** How long a CA certificate is valid: a generation is replaced long before. */
const years = 10;

/** One generation of Fulcio's CA: its key, and its self-signed certificate in a record. */
export class FulcioCa extends pulumi.ComponentResource {
  /** PEM; a secret. */
  readonly privateKeyPem: pulumi.Output<string>;
  readonly record: pulumi.Output<FulcioCaRecord>;

  constructor(name: string, args: FulcioCaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:trust:FulcioCa", name, {}, opts);
    const parent = { parent: this };
    const key = signingKey(`${name}-key`, parent, { destroyed: args.keyless ?? false });
    this.privateKeyPem = key.privateKeyPemPkcs8;
    this.record = record(name, fulcioCaRecord, () => makeRecord(args, key), args.known, {
      ...parent,
      dependsOn: [key],
    });
    this.registerOutputs({ record: this.record });
  }
}

function makeRecord(args: FulcioCaArgs, key: tls.PrivateKey): pulumi.Output<FulcioCaRecord> {
  const start = windowStart(args.now);
  return key.privateKeyPemPkcs8.apply(async (privateKeyPem): Promise<FulcioCaRecord> => ({
    apiVersion: "anchorhold/v1",
    generation: args.generation,
    source: "generated",
    start,
    chain: await makeFulcioCa({
      privateKeyPem,
      subject: args.subject,
      notBefore: new Date(start),
      years,
    }),
    uri: args.uri,
  }));
}
