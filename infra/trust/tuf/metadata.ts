import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { canonicalize } from "@tufjs/canonical-json";
import {
  Key,
  MetaFile,
  Metadata,
  Root,
  Signature,
  Snapshot,
  TargetFile as TufTargetFile,
  Targets,
  Timestamp,
} from "@tufjs/models";
import { publicKeyPemOf } from "../keyMaterial.ts";

/** A file that TUF serves. `content` is exactly what clients get (UTF-8). */
export interface TargetFile {
  name: string;
  content: string;
  custom?: { sigstore: { usage: string; status: string; uri?: string } };
}

/** A P-256 key pair of a role, as PEM. */
export interface Signer {
  publicKeyPem: string;
  privateKeyPem: string;
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

const specVersion = "1.0.31";

/** SHA-256, in hex, over the canonical JSON of the whole key object (TUF 1.0.31, section 4.2). */
export function keyIdOf(publicKeyPem: string): string {
  return toKey(publicKeyPem).keyID;
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

/** `timestamp.json`, which names the one version of snapshot.json that counts. */
export function signTimestamp(
  args: Signing & { snapshot: { version: number; content: string } },
): string {
  const snapshotMeta = toMeta(args.snapshot);
  return signed(new Metadata(new Timestamp({ ...header(args), snapshotMeta })), [args.signer]);
}

function header(args: { version: number; expires: Date }) {
  const expires = args.expires.toISOString().replace(/\.\d+Z$/, "Z");
  return { version: args.version, specVersion, expires };
}

function toRole(keys: readonly string[], threshold: number) {
  return { keyids: keys.map(keyIdOf), threshold };
}

function toKey(publicKeyPem: string): Key {
  const key = createPublicKey(publicKeyPem);
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new Error("a TUF key must be ECDSA P-256");
  }
  // Exported again, so that line ends or a missing newline in the text do not change the id.
  const keyVal = { public: key.export({ type: "spki", format: "pem" }).toString() };
  const options = { keyType: "ecdsa", scheme: "ecdsa-sha2-nistp256", keyVal };
  const keyID = sha256(canonicalize(new Key({ keyID: "", ...options }).toJSON()));
  return new Key({ keyID, ...options });
}

/** The file's bytes: plain JSON; the signatures are over the canonical form of `signed`. */
function signed(metadata: Signable, signers: readonly Signer[]): string {
  for (const signer of signers) metadata.sign((bytes) => signatureOf(signer, bytes));
  return JSON.stringify(metadata.toJSON());
}

interface Signable {
  sign(signer: (bytes: Buffer) => Signature): void;
  toJSON(): object;
}

function signatureOf(signer: Signer, bytes: Buffer): Signature {
  const keyID = keyIdOf(signer.publicKeyPem);
  if (keyIdOf(publicKeyPemOf(signer.privateKeyPem)) !== keyID) {
    throw new Error("a TUF signer's private key does not belong to its public key");
  }
  // ECDSA as DER, which Node's default is, in hex.
  const sig = sign("sha256", bytes, createPrivateKey(signer.privateKeyPem)).toString("hex");
  return new Signature({ keyID, sig });
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

function lengthAndHash(content: string) {
  return { length: Buffer.byteLength(content), hashes: { sha256: sha256(content) } };
}

/** SHA-256 of a text's UTF-8 bytes, in hex. */
export function sha256(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}
