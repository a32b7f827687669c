import * as z from "zod";

/**
 * The public facts of one generation, as they stand in a protected Stash and among the stack's
 * outputs. A record is written once and never changes; it holds no secret.
 */
const base = {
  apiVersion: z.literal("anchorhold/v1"),
  generation: z.int().min(1),
  source: z.enum(["generated", "supplied", "kms"]),
  /** Start of the validity window, RFC 3339 with whole seconds, in the past when first served. */
  start: z.iso.datetime(),
};

/** A certificate chain as PEM certificates: the issuer of the leaf first, the self-signed root last. */
const chain = z.array(z.string().startsWith("-----BEGIN CERTIFICATE-----")).min(1);
const publicKeyPem = z.string().startsWith("-----BEGIN PUBLIC KEY-----");

export const fulcioCaRecord = z.strictObject({ ...base, chain, uri: z.url() });

/** A TSA chain: the timestamping leaf first, the root last (RFC 3161; trusted_root.json order). */
export const tsaRecord = z.strictObject({ ...base, chain: chain.min(2), uri: z.url() });

/** A transparency log: `logId` is base64 of SHA-256 over the DER SPKI (RFC 6962, section 3.2). */
export const logRecord = z.strictObject({
  ...base,
  publicKeyPem,
  keyDetails: z.literal("PKIX_ECDSA_P256_SHA_256"),
  logIdRule: z.literal("sha256-spki"),
  logId: z.string(),
  /** Trillian's tree id: a decimal int64, beyond JavaScript's safe integers, hence a string. */
  treeId: z.string().regex(/^\d+$/),
  baseUrl: z.url(),
  /** What the log signs as: Rekor's host name, the CT log's prefix. */
  origin: z.string(),
});

/** The keys of the offline TUF roles, or of the online ones, as PEM SPKI (TUF spec 1.0.31, 4.2). */
export const tufRootRecord = z.strictObject({
  ...base,
  rootKeyPem: publicKeyPem,
  targetsKeyPem: publicKeyPem,
});
export const tufOnlineRecord = z.strictObject({
  ...base,
  snapshotKeyPem: publicKeyPem,
  timestampKeyPem: publicKeyPem,
});

export type FulcioCaRecord = z.infer<typeof fulcioCaRecord>;
export type TsaRecord = z.infer<typeof tsaRecord>;
export type LogRecord = z.infer<typeof logRecord>;
export type TufRootRecord = z.infer<typeof tufRootRecord>;
export type TufOnlineRecord = z.infer<typeof tufOnlineRecord>;
