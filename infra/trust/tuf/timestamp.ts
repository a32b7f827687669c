// timestamp.json: the one role that is signed inside the cluster. Pure, and as free of dependencies
// as signature.ts.
import {
  isSignedBy,
  lengthAndHash,
  signatureOf,
  specVersion,
  wholeSeconds,
  type SignatureJson,
  type Signer,
} from "./signature.ts";

/** A `<version>.snapshot.json` as timestamp.json names it. */
export interface SnapshotMeta {
  version: number;
  /** In bytes. */
  length: number;
  hashes: { sha256: string };
}

/** What a timestamp.json says. */
export interface Timestamp {
  version: number;
  expires: Date;
  snapshot: SnapshotMeta;
}

/** The newest signing of a timestamp, in the form in which the cluster remembers it. */
export interface LastSigning {
  version: number;
  snapshotVersion: number;
  /** RFC 3339, whole seconds. */
  signed: string;
}

/** A signing that must not be; the message says what is wrong and what mends it. */
export class RefusedSigning extends Error {
  override readonly name = "RefusedSigning";
}

interface Renewal {
  last?: LastSigning | undefined;
  snapshot: SnapshotMeta;
  key: Signer;
  now: Date;
  lifeSeconds: number;
}

/** Clocks of two nodes may differ by this much, in milliseconds. */
const tolerance = 60_000;

/** @throws when the text is no snapshot.json; the message has nothing of the text */
export function snapshotMeta(content: string): SnapshotMeta {
  const { signed } = parse(content) ?? {};
  if (signed?._type !== "snapshot" || !Number.isInteger(signed.version)) {
    throw new Error("not a snapshot.json");
  }
  return { version: signed.version, ...lengthAndHash(content) };
}

/**
 * Signs the timestamp of a snapshot. Its version is at least the time in whole seconds since 1970:
 * so it grows from one signing to the next even where nobody remembers the last one.
 *
 * @throws RefusedSigning for a snapshot older than one that was signed, or a clock that is behind
 */
export function renewTimestamp({ last, snapshot, key, now, lifeSeconds }: Renewal): {
  content: string;
  last: LastSigning;
} {
  if (last !== undefined) refuseStepBack(last, snapshot, now);
  const version = Math.max((last?.version ?? 0) + 1, Math.floor(now.getTime() / 1000));
  const expires = new Date(now.getTime() + lifeSeconds * 1000);
  return {
    content: signTimestamp({ version, expires, snapshot, signer: key }),
    last: { version, snapshotVersion: snapshot.version, signed: wholeSeconds(now) },
  };
}

function refuseStepBack(last: LastSigning, snapshot: SnapshotMeta, now: Date): void {
  if (snapshot.version < last.snapshotVersion) {
    throw new RefusedSigning(
      `snapshot ${snapshot.version} is older than snapshot ${last.snapshotVersion}, which has ` +
        "been signed: a client that has seen it would fail. Publish again with `pulumi up`.",
    );
  }
  if (now.getTime() < Date.parse(last.signed) - tolerance) {
    throw new RefusedSigning(
      `the clock says ${wholeSeconds(now)}, but the last timestamp was signed at ` +
        `${last.signed}. Set this node's clock.`,
    );
  }
}

/** `timestamp.json`, which names the one version of snapshot.json that counts. */
export function signTimestamp(args: {
  version: number;
  expires: Date;
  snapshot: SnapshotMeta;
  signer: Signer;
}): string {
  const { version, length, hashes } = args.snapshot;
  const signed = {
    _type: "timestamp",
    spec_version: specVersion,
    version: args.version,
    expires: wholeSeconds(args.expires),
    meta: { "snapshot.json": { version, length, hashes } },
  };
  return JSON.stringify({ signatures: [signatureOf(args.signer, signed)], signed });
}

/** The parts of a metadata file that are read here. */
interface Document {
  signatures: SignatureJson[];
  signed: {
    _type: string;
    version: number;
    expires: string;
    meta?: { "snapshot.json"?: SnapshotMeta };
  };
}

/** The text as JSON, so far as it is some, and an object. */
function parse(content: string): Partial<Document> | undefined {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What a timestamp.json says, whoever signed it; undefined for any other text. */
export function readTimestamp(content: string): Timestamp | undefined {
  const signed = parse(content)?.signed;
  const snapshot = signed?.meta?.["snapshot.json"];
  if (signed?._type !== "timestamp" || snapshot === undefined) return undefined;
  const { version } = signed;
  const expires = new Date(signed.expires);
  const valid =
    [version, snapshot.version, snapshot.length].every(Number.isInteger) &&
    /^[0-9a-f]{64}$/.test(snapshot.hashes?.sha256 ?? "") &&
    !Number.isNaN(expires.getTime());
  return valid ? { version, expires, snapshot } : undefined;
}

/** Whether a timestamp.json carries a good signature of this key. */
export function isTimestampOf(publicKeyPem: string, content: string): boolean {
  const { signed, signatures } = parse(content) ?? {};
  if (signed === undefined || !Array.isArray(signatures)) return false;
  return isSignedBy(publicKeyPem, { signed, signatures });
}
