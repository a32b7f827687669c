import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bundleFromJSON, type SerializedBundle } from "@sigstore/bundle";
import { X509Certificate } from "@sigstore/core";
import { evidenceOf, leafOf } from "../../../../infra/observe/evidence.ts";
import type { Records } from "../../../../infra/outputs.ts";

export type OperationKind = "sign" | "verify";

/** Who made a bundle, by the ids in it, in hex: `generationNames` tells the generations. */
export interface Makers {
  /** Key identifier of the issuing CA (RFC 5280, section 4.2.1.1). */
  ca: string;
  /** Log id of the SCT (RFC 6962, section 3.2). */
  ctLog: string;
  /** Log id of Rekor's entry. */
  rekor: string;
}

/** Versions of the TUF metadata that a client has after an operation. */
export interface TufVersions {
  timestamp: number;
  snapshot: number;
  targets: number;
}

/** One thing that a worker tried: a line of the load's log. Times are ms since 1970. */
export interface Operation extends Partial<Makers> {
  worker: string;
  client: ClientName;
  kind: OperationKind;
  /** Which bundle was verified: one that the signers just made, or one from before the load. */
  bundle?: "recent" | "old";
  start: number;
  end: number;
  ok: boolean;
  /** Why not, on one line. */
  error?: string;
  tuf?: TufVersions;
}

export type ClientName = "sigstore-js" | "cosign";

/** Reads who made a bundle; whether that is true is for a verifier to say. */
export function makersOf(bundle: string): Makers {
  const parsed = bundleFromJSON(JSON.parse(bundle) as SerializedBundle);
  const [entry] = parsed.verificationMaterial.tlogEntries;
  return {
    ca: leafOf(parsed)?.extAuthorityKeyID?.keyIdentifier?.toString("hex") ?? "none",
    ctLog: evidenceOf(parsed).scts.join("+") || "none",
    rekor: entry ? Buffer.from(entry.logId.keyId).toString("hex") : "none",
  };
}

/** Id → generation, for each field of `Makers`. */
export type GenerationNames = Record<keyof Makers, ReadonlyMap<string, string>>;

/** Names the ids of every recorded generation. */
export function generationNames(records: Pick<Records, "fulcioCa" | "ctLog" | "rekor">) {
  const names = <T>(kind: Record<string, T>, idOf: (record: T) => string) =>
    new Map(Object.entries(kind).map(([generation, record]) => [idOf(record), generation]));
  const logId = ({ logId }: { logId: string }) => Buffer.from(logId, "base64").toString("hex");
  return {
    ca: names(records.fulcioCa, ({ chain }) => subjectKeyId(chain[0] ?? "")),
    ctLog: names(records.ctLog, logId),
    rekor: names(records.rekor, logId),
  } satisfies GenerationNames;
}

function subjectKeyId(pem: string): string {
  const id = X509Certificate.parse(pem).extSubjectKeyID?.keyIdentifier;
  if (id === undefined) throw new Error("a CA certificate has no subject key identifier");
  return id.toString("hex");
}

/**
 * The versions in a TUF client's cache, which has one folder for each mirror.
 * @returns undefined when there is no complete metadata yet
 */
export function tufVersions(cache: string): TufVersions | undefined {
  try {
    const [mirror] = readdirSync(cache, { withFileTypes: true }).filter((e) => e.isDirectory());
    const version = (role: string) => {
      const text = readFileSync(join(cache, mirror?.name ?? "", `${role}.json`), "utf8");
      return (JSON.parse(text) as { signed: { version: number } }).signed.version;
    };
    return {
      timestamp: version("timestamp"),
      snapshot: version("snapshot"),
      targets: version("targets"),
    };
  } catch {
    return undefined;
  }
}
