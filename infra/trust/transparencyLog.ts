import * as pulumi from "@pulumi/pulumi";
import type * as tls from "@pulumi/tls";
import { keyPassword, encryptLegacyPem, logIdOf } from "./keyMaterial.ts";
import { record, windowStart } from "./record.ts";
import { logRecord, type LogRecord } from "./records.ts";
import { signingKey } from "./signingKey.ts";
import { TrillianTree, type TreeAccess } from "./tree.ts";

export interface TransparencyLogArgs {
  generation: number;
  /** Where clients reach this generation, without a trailing slash. */
  baseUrl: string;
  /** What the log signs as: Rekor's host name, the CT log's prefix. */
  origin: string;
  /** Makes the tree's description unique among the stacks that share a Trillian. */
  instance: pulumi.Input<string>;
  access: TreeAccess;
  /** The record of the last update, if there is one. */
  known?: LogRecord | undefined;
  /** The log is not served any more: the private key is destroyed, the record stays. */
  keyless?: boolean;
  now: Date;
}

/** One generation of a log, Rekor's or the CT log's: its key, its tree in Trillian, its record. */
export class TransparencyLog extends pulumi.ComponentResource {
  /** PEM; a secret. */
  readonly privateKeyPem: pulumi.Output<string>;
  readonly record: pulumi.Output<LogRecord>;

  constructor(name: string, args: TransparencyLogArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:trust:TransparencyLog", name, {}, opts);
    const parent = { parent: this };
    const key = signingKey(`${name}-key`, parent, { destroyed: args.keyless ?? false });
    const tree = new TrillianTree(
      `${name}-tree`,
      {
        displayName: name,
        description: pulumi.interpolate`anchorhold ${args.instance} ${name}`,
        access: args.access,
      },
      parent,
    );
    this.privateKeyPem = key.privateKeyPemPkcs8;
    this.record = record(name, logRecord, () => makeRecord(args, key, tree), args.known, {
      ...parent,
      dependsOn: [key],
    });
    this.registerOutputs({ record: this.record });
  }
}

function makeRecord(
  args: TransparencyLogArgs,
  key: tls.PrivateKey,
  tree: TrillianTree,
): pulumi.Output<LogRecord> {
  return pulumi.all([key.publicKeyPem, tree.treeId]).apply(([publicKeyPem, treeId]): LogRecord => ({
    apiVersion: "anchorhold/v1",
    generation: args.generation,
    source: "generated",
    start: windowStart(args.now),
    publicKeyPem,
    keyDetails: "PKIX_ECDSA_P256_SHA_256",
    logIdRule: "sha256-spki",
    logId: logIdOf(publicKeyPem),
    treeId,
    baseUrl: args.baseUrl,
    origin: args.origin,
  }));
}

/** A private key as ct_server reads it without ever printing it: an encrypted PEM and its password. */
export interface EncryptedKey {
  pem: string;
  password: string;
}

/**
 * Encrypts a CT log's key. ct_server prints an inline key when its configuration is invalid, hence
 * a file. The same key gives the same bytes, so that nothing rolls.
 */
export function encryptedKey(privateKeyPem: pulumi.Output<string>): pulumi.Output<EncryptedKey> {
  return privateKeyPem.apply((key) => {
    const password = keyPassword(key);
    return { pem: encryptLegacyPem(key, password), password };
  });
}
