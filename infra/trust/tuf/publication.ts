import * as pulumi from "@pulumi/pulumi";
import { frozen } from "../record.ts";
import { publicationSchema, type Publication } from "../stamps.ts";
import type { RoleKey, TufOnlineKeys, TufRootKeys } from "./keys.ts";
import { signRoot, signSnapshot, signTargets, type Signer, type TargetFile } from "./metadata.ts";
import { nextVersion, type Life } from "./renewal.ts";
import { revisionHash } from "./repository.ts";

export interface TufPublicationArgs {
  /** What clients shall read: trusted root, signing config, legacy targets. */
  documents: pulumi.Output<TargetFile[]>;
  /** The same, if all of it is known before the update. */
  knownDocuments?: TargetFile[] | undefined;
  rootKeys: TufRootKeys;
  onlineKeys: TufOnlineKeys;
  life: Life & { root: number };
  /** Every publication so far. */
  publications: readonly Publication[];
  now: Date;
}

/**
 * The signed TUF repository, but for its timestamp, which the cluster signs. Root 1 and every
 * publication are signed once and kept as protected records: a version is never used for other
 * bytes, and a client in the middle of a refresh still finds the version before.
 */
export class TufPublication extends pulumi.ComponentResource {
  /** The first root.json, byte for byte. */
  readonly initialRoot: pulumi.Output<string>;
  /** The version of `current`. */
  readonly version: number;
  readonly current: pulumi.Output<Publication>;
  /** The newest two publications, the newest last: what a mirror serves. */
  readonly served: pulumi.Output<Publication[]>;

  constructor(name: string, args: TufPublicationArgs, opts?: pulumi.ComponentResourceOptions) {
    const wanted = args.knownDocuments && revisionHash(args.knownDocuments);
    const version = nextVersion(args.publications, wanted, args.life, args.now);
    super("anchorhold:trust:TufPublication", name, { version }, opts);
    const parent = { parent: this };
    this.version = version;
    this.initialRoot = frozen(`${name}-root-1-json`, signFirstRoot(args), parent);
    const kept = args.publications.map((publication) =>
      frozen<Publication>(`${name}-publication-${publication.version}`, publication, parent),
    );
    const all =
      kept.length >= version
        ? kept
        : [...kept, frozen(`${name}-publication-${version}`, this.sign(args), parent)];
    const served = pulumi.all(all.slice(-2));
    this.served = served.apply((some) => some.map((one) => publicationSchema.parse(one)));
    this.current = this.served.apply((some) => some.at(-1)!);
    this.registerOutputs({ version });
  }

  private sign(args: TufPublicationArgs): pulumi.Output<Publication> {
    const signed = pulumi
      .all([args.documents, signer(args.rootKeys.targets), signer(args.onlineKeys.snapshot)])
      .apply(([files, targets, snapshot]) =>
        signRoles(files, this.version, args, targets, snapshot),
      );
    return pulumi.unsecret(signed);
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

const wholeSeconds = (time: Date) => `${time.toISOString().slice(0, 19)}Z`;

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
  documents: TargetFile[],
  version: number,
  { life, now }: TufPublicationArgs,
  targetsSigner: Signer,
  snapshotSigner: Signer,
): Publication {
  const targets = signTargets({
    version,
    expires: inDays(now, life.targets),
    targets: documents,
    signer: targetsSigner,
  });
  const snapshot = signSnapshot({
    version,
    expires: inDays(now, life.snapshot),
    targets: { version, content: targets },
    signer: snapshotSigner,
  });
  return {
    version,
    revision: revisionHash(documents),
    signed: wholeSeconds(now),
    expires: wholeSeconds(inDays(now, Math.min(life.targets, life.snapshot))),
    documents,
    targets,
    snapshot,
  };
}
