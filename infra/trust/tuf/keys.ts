import * as pulumi from "@pulumi/pulumi";
import { record, windowStart } from "../record.ts";
import {
  tufOnlineRecord,
  tufRootRecord,
  type TufOnlineRecord,
  type TufRootRecord,
} from "../records.ts";
import { signingKey } from "../signingKey.ts";

export interface TufKeysArgs<Known> {
  generation: number;
  /** The record of the last update, if there is one. */
  known?: Known | undefined;
  now: Date;
}

/** A role's key pair as PEM; the private half is a secret. */
export interface RoleKey {
  publicKeyPem: pulumi.Output<string>;
  privateKeyPem: pulumi.Output<string>;
}

function roleKey(name: string, opts: pulumi.CustomResourceOptions): RoleKey {
  const key = signingKey(name, opts);
  return { publicKeyPem: key.publicKeyPem, privateKeyPem: key.privateKeyPemPkcs8 };
}

/** The keys of the roles that only the program's run signs: root and targets. */
export class TufRootKeys extends pulumi.ComponentResource {
  readonly root: RoleKey;
  readonly targets: RoleKey;
  readonly record: pulumi.Output<TufRootRecord>;

  constructor(
    name: string,
    args: TufKeysArgs<TufRootRecord>,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("anchorhold:trust:TufRootKeys", name, {}, opts);
    const parent = { parent: this };
    this.root = roleKey(`${name}-root-key`, parent);
    this.targets = roleKey(`${name}-targets-key`, parent);
    const made = () =>
      pulumi
        .all([this.root.publicKeyPem, this.targets.publicKeyPem])
        .apply(([rootKeyPem, targetsKeyPem]) => ({
          ...origin(args),
          rootKeyPem,
          targetsKeyPem,
        }));
    this.record = record(name, tufRootRecord, made, args.known, parent);
    this.registerOutputs({ record: this.record });
  }
}

/** The keys of the roles that are signed anew as time passes: snapshot and timestamp. */
export class TufOnlineKeys extends pulumi.ComponentResource {
  readonly snapshot: RoleKey;
  readonly timestamp: RoleKey;
  readonly record: pulumi.Output<TufOnlineRecord>;

  constructor(
    name: string,
    args: TufKeysArgs<TufOnlineRecord>,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("anchorhold:trust:TufOnlineKeys", name, {}, opts);
    const parent = { parent: this };
    this.snapshot = roleKey(`${name}-snapshot-key`, parent);
    this.timestamp = roleKey(`${name}-timestamp-key`, parent);
    const made = () =>
      pulumi
        .all([this.snapshot.publicKeyPem, this.timestamp.publicKeyPem])
        .apply(([snapshotKeyPem, timestampKeyPem]) => ({
          ...origin(args),
          snapshotKeyPem,
          timestampKeyPem,
        }));
    this.record = record(name, tufOnlineRecord, made, args.known, parent);
    this.registerOutputs({ record: this.record });
  }
}

function origin(args: { generation: number; now: Date }): {
  apiVersion: "anchorhold/v1";
  generation: number;
  source: "generated";
  start: string;
} {
  return {
    apiVersion: "anchorhold/v1",
    generation: args.generation,
    source: "generated",
    start: windowStart(args.now),
  };
}
