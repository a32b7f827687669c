import { createHash, X509Certificate } from "node:crypto";
import type {
  CertificateAuthority,
  TimeRange,
  TransparencyLogInstance,
} from "@sigstore/protobuf-specs";
import { HashAlgorithm, PublicKeyDetails, TrustedRoot } from "@sigstore/protobuf-specs";
import { publicKeyDer } from "./keyMaterial.ts";
import type { FulcioCaRecord, LogRecord, TsaRecord } from "./records.ts";

/** A record with what became of it. */
export type Trusted<R> = R & {
  /** End of the validity window, RFC 3339 with whole seconds; open without it. */
  end?: string | undefined;
  /** The key was stolen: old clients, which know no windows, must not get it any more. */
  distrusted?: boolean | undefined;
};

/** Every generation that clients shall know, by kind. */
export interface TrustRecords {
  fulcioCa: readonly Trusted<FulcioCaRecord>[];
  ctLog: readonly Trusted<LogRecord>[];
  rekor: readonly Trusted<LogRecord>[];
  tsa: readonly Trusted<TsaRecord>[];
}

/** The one media type that Go, Python and Java clients accept in a file of this name. */
const mediaType = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

/**
 * `trusted_root.json` (protobuf-specs, sigstore_trustroot.proto, the v0.1 fields alone: clients
 * built before a field existed refuse the whole file). The same records give the same bytes.
 */
export function trustedRoot(records: TrustRecords): string {
  const message: TrustedRoot = {
    mediaType,
    tlogs: oldestFirst(records.rekor).map(toLog),
    certificateAuthorities: oldestFirst(records.fulcioCa).map(toAuthority),
    ctlogs: oldestFirst(records.ctLog).map(toLog),
    timestampAuthorities: oldestFirst(records.tsa).map(toAuthority),
  };
  // The generated code leaves out empty lists, which strict clients demand.
  const lists = { tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] };
  return toText({ mediaType, ...lists, ...(TrustedRoot.toJSON(message) as object) });
}

/** Protobuf JSON as a published file: indented, times with whole seconds, a newline at the end. */
export function toText(json: object): string {
  const wholeSeconds = (_key: string, value: unknown) =>
    typeof value === "string" ? value.replace(/^(\d{4}-[-\d]+T[:\d]+)\.000Z$/, "$1Z") : value;
  return `${JSON.stringify(json, wholeSeconds, 2)}\n`;
}

/** A window that is open: a start, no end. */
export function openSince(start: string): TimeRange {
  return { start: new Date(start) };
}

function oldestFirst<T extends { start: string; generation: number }>(records: readonly T[]): T[] {
  return records.toSorted(
    (a, b) => Date.parse(a.start) - Date.parse(b.start) || a.generation - b.generation,
  );
}

/** A generation's window (clients take both ends as inside). */
function windowOf({ start, end }: Trusted<{ start: string }>): TimeRange {
  return { ...openSince(start), ...(end === undefined ? {} : { end: new Date(end) }) };
}

function toLog(record: Trusted<LogRecord>): TransparencyLogInstance {
  const rawBytes = publicKeyDer(record.publicKeyPem);
  const keyId = Buffer.from(record.logId, "base64");
  if (!createHash("sha256").update(rawBytes).digest().equals(keyId)) {
    throw new Error(`the log at ${record.baseUrl} has a log id that is not its key's`);
  }
  return {
    baseUrl: record.baseUrl,
    hashAlgorithm: HashAlgorithm.SHA2_256,
    publicKey: {
      rawBytes,
      keyDetails: PublicKeyDetails[record.keyDetails],
      validFor: windowOf(record),
    },
    logId: { keyId },
    // Fields of v0.2: empty ones are not written.
    checkpointKeyId: undefined,
    operator: "",
  };
}

function toAuthority(record: Trusted<FulcioCaRecord | TsaRecord>): CertificateAuthority {
  const certificates = record.chain.map((pem) => new X509Certificate(pem));
  return {
    subject: rootSubject(certificates),
    uri: record.uri,
    certChain: { certificates: certificates.map(({ raw }) => ({ rawBytes: raw })) },
    validFor: windowOf(record),
    operator: "",
  };
}

/** Organization and common name of the chain's root; clients show them, Python demands both. */
function rootSubject(chain: X509Certificate[]) {
  const subject = chain.at(-1)?.toLegacyObject().subject;
  const text = (value: string | string[] | undefined) => [value].flat()[0] ?? "";
  return { organization: text(subject?.O), commonName: text(subject?.CN) };
}
