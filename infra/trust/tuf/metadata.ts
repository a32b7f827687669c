import {
  Key,
  MetaFile,
  Metadata,
  Root,
  Signature,
  Snapshot,
  TargetFile as TufTargetFile,
  Targets,
} from "@tufjs/models";
import {
  keyIdOf,
  keyJson,
  lengthAndHash,
  signatureOf,
  specVersion,
  wholeSeconds,
  type Signer,
} from "./signature.ts";

export { keyIdOf, sha256, type Signer } from "./signature.ts";

/** A file that TUF serves. `content` is exactly what clients get (UTF-8). */
export interface TargetFile {
  name: string;
  content: string;
  custom?: { sigstore: { usage: string; status: string; uri?: string } };
}

interface Signing {
  version: number;
  /** Fractions of a second are cut off: python-tuf refuses them. */
  expires: Date;
  signer: Signer;
}

/** A role's keys, as PEM SPKI; the online roles and targets need one signature each. */
export interface RootArgs {
  version: number;
  expires: Date;
  root: { keys: readonly string[]; threshold: number };
  targets: readonly string[];
  snapshot: readonly string[];
  timestamp: readonly string[];
  /** Holders of this root's keys, and of the previous root's where the two differ. */
  signers: readonly Signer[];
}

/**
 * `<version>.root.json`. Signatures are random: sign once and keep the bytes.
 *
 * @throws when the signers do not reach this root's own threshold
 */
export function signRoot(args: RootArgs): string {
  const single = (keys: readonly string[]) => toRole(keys, 1);
  const keys = [...args.root.keys, ...args.targets, ...args.snapshot, ...args.timestamp].map(toKey);
  const { specVersion: spec_version, ...rest } = header(args);
  const root = Root.fromJSON({
    _type: "root",
    spec_version,
    ...rest,
    consistent_snapshot: true,
    keys: Object.fromEntries(keys.map((key) => [key.keyID, key.toJSON()])),
    roles: {
      root: toRole(args.root.keys, args.root.threshold),
      targets: single(args.targets),
      snapshot: single(args.snapshot),
      timestamp: single(args.timestamp),
    },
  });
  const metadata = new Metadata(root);
  const text = signed(metadata, args.signers);
  metadata.verifyDelegate("root", metadata);
  return text;
}

/** `<version>.targets.json`: length and SHA-256 of every target, one hash so that clients agree. */
export function signTargets(args: Signing & { targets: readonly TargetFile[] }): string {
  const targets = args.targets.map((target) => [target.name, toTarget(target)] as const);
  return signed(
    new Metadata(new Targets({ ...header(args), targets: Object.fromEntries(targets) })),
    [args.signer],
  );
}

/** `<version>.snapshot.json`, which names the one version of targets.json that counts. */
export function signSnapshot(
  args: Signing & { targets: { version: number; content: string } },
): string {
  const meta = { "targets.json": toMeta(args.targets) };
  return signed(new Metadata(new Snapshot({ ...header(args), meta })), [args.signer]);
}

function header(args: { version: number; expires: Date }) {
  return { version: args.version, specVersion, expires: wholeSeconds(args.expires) };
}

function toRole(keys: readonly string[], threshold: number) {
  return { keyids: keys.map(keyIdOf), threshold };
}

function toKey(publicKeyPem: string): Key {
  return Key.fromJSON(keyIdOf(publicKeyPem), keyJson(publicKeyPem));
}

/** The file's bytes: plain JSON; the signatures are over the canonical form of `signed`. */
function signed(metadata: Signable, signers: readonly Signer[]): string {
  for (const signer of signers) {
    const { keyid, sig } = signatureOf(signer, metadata.signed.toJSON());
    metadata.sign(() => new Signature({ keyID: keyid, sig }));
  }
  return JSON.stringify(metadata.toJSON());
}

interface Signable {
  signed: { toJSON(): object };
  sign(signer: (bytes: Buffer) => Signature): void;
  toJSON(): object;
}

function toTarget({ name, content, custom }: TargetFile): TufTargetFile {
  return new TufTargetFile({
    path: name,
    ...lengthAndHash(content),
    unrecognizedFields: custom ? { custom } : {},
  });
}

function toMeta({ version, content }: { version: number; content: string }): MetaFile {
  return new MetaFile({ version, ...lengthAndHash(content) });
}
