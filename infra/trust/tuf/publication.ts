import * as pulumi from "@pulumi/pulumi";
import type { TufState } from "../../outputs.ts";
import { frozen } from "../record.ts";
import type { RoleKey, TufOnlineKeys, TufRootKeys } from "./keys.ts";
import {
  signRoot,
  signSnapshot,
  signTargets,
  signTimestamp,
  type Signer,
  type TargetFile,
} from "./metadata.ts";
import { renewalsOf, versionOf, type Life } from "./renewal.ts";
import { repositoryFiles, revisionHash } from "./repository.ts";

export interface TufPublicationArgs {
  /** What clients shall read: trusted root, signing config, legacy targets. */
  documents: pulumi.Input<TargetFile[]>;
  rootKeys: TufRootKeys;
  onlineKeys: TufOnlineKeys;
  life: Life & { root: number };
  /** The metadata of the last update, if there is one. */
  known?: TufState | undefined;
  now: Date;
}

/** The signed roles of one revision, byte for byte, with the version that they share. */
interface Signed {
  version: number;
  targets: string;
  snapshot: string;
  timestamp: string;
  expires: string;
}

/**
 * The TUF repository as files. Root 1 is signed once and kept for ever; the other roles are kept
 * as signed until what they publish changes or their life runs short.
 */
export class TufPublication extends pulumi.ComponentResource {
  /** Path below the mirror's URL → exact content. */
  readonly files: pulumi.Output<Record<string, string>>;
  /** The first root.json, byte for byte. */
  readonly initialRoot: pulumi.Output<string>;
  readonly state: pulumi.Output<TufState>;

  constructor(name: string, args: TufPublicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:trust:TufPublication", name, {}, opts);
    const documents = pulumi.output(args.documents);
    const revision = documents.apply((files) => revisionHash(files));
    const renewals = renewalsOf(args.known, args.life, args.now);

    this.initialRoot = frozen(`${name}-root-1-json`, signFirstRoot(args), { parent: this });
    const signed = this.sign(name, args, documents, revision, renewals);
    this.files = pulumi
      .all([this.initialRoot, signed, documents])
      .apply(([root, roles, targetFiles]) =>
        repositoryFiles({
          roots: [root],
          targetsVersion: roles.version,
          targets: roles.targets,
          targetFiles,
          snapshotVersion: roles.version,
          snapshot: roles.snapshot,
          timestamp: roles.timestamp,
        }),
      );
    this.state = pulumi
      .all([signed, revision])
      .apply(([{ version, expires }, hash]) => ({ version, revision: hash, renewals, expires }));
    this.registerOutputs({ state: this.state });
  }

  /** Replaced, and so signed anew, exactly when the trigger changes. */
  private sign(
    name: string,
    args: TufPublicationArgs,
    documents: pulumi.Output<TargetFile[]>,
    revision: pulumi.Output<string>,
    renewals: number,
  ): pulumi.Output<Signed> {
    const signed = pulumi
      .all([
        documents,
        revision,
        signer(args.rootKeys.targets),
        signer(args.onlineKeys.snapshot),
        signer(args.onlineKeys.timestamp),
      ])
      .apply(([files, hash, targets, snapshot, timestamp]) =>
        signRoles(files, versionOf(args.known, { revision: hash, renewals }), args, {
          targets,
          snapshot,
          timestamp,
        }),
      );
    const stash = new pulumi.Stash(
      `${name}-metadata`,
      { input: pulumi.unsecret(signed) },
      {
        parent: this,
        protect: false,
        ignoreChanges: ["input"],
        replacementTrigger: pulumi.interpolate`${revision}/${renewals}`,
      },
    );
    return stash.output as pulumi.Output<Signed>;
  }
}

function signer(key: RoleKey): pulumi.Output<Signer> {
  return pulumi
    .all([key.publicKeyPem, key.privateKeyPem])
    .apply(([publicKeyPem, privateKeyPem]) => ({ publicKeyPem, privateKeyPem }));
}

function inDays(now: Date, days: number): Date {
  return new Date(now.getTime() + days * 86_400_000);
}

function signFirstRoot(args: TufPublicationArgs): pulumi.Output<string> {
  const { rootKeys, onlineKeys } = args;
  const signed = pulumi
    .all([signer(rootKeys.root), rootKeys.record, onlineKeys.record])
    .apply(([root, offline, online]) =>
      signRoot({
        version: 1,
        expires: inDays(args.now, args.life.root),
        root: { keys: [offline.rootKeyPem], threshold: 1 },
        targets: [offline.targetsKeyPem],
        snapshot: [online.snapshotKeyPem],
        timestamp: [online.timestampKeyPem],
        signers: [root],
      }),
    );
  return pulumi.unsecret(signed);
}

function signRoles(
  files: TargetFile[],
  version: number,
  { life, now }: TufPublicationArgs,
  signers: { targets: Signer; snapshot: Signer; timestamp: Signer },
): Signed {
  const targets = signTargets({
    version,
    expires: inDays(now, life.targets),
    targets: files,
    signer: signers.targets,
  });
  const snapshot = signSnapshot({
    version,
    expires: inDays(now, life.snapshot),
    targets: { version, content: targets },
    signer: signers.snapshot,
  });
  const timestamp = signTimestamp({
    version,
    expires: inDays(now, life.timestamp),
    snapshot: { version, content: snapshot },
    signer: signers.timestamp,
  });
  const first = inDays(now, Math.min(life.targets, life.snapshot, life.timestamp));
  return {
    version,
    targets,
    snapshot,
    timestamp,
    expires: `${first.toISOString().slice(0, 19)}Z`,
  };
}
