import { createHash, createPublicKey, X509Certificate } from "node:crypto";

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, in order. */
export function splitPem(text: string): string[] {
  return text.match(pemBlock) ?? [];
}

/** SHA-256 of a certificate's DER in hex: compares certificates whatever their PEM looks like. */
export function certificateFingerprint(pemOrDer: string | Buffer): string {
  return createHash("sha256").update(new X509Certificate(pemOrDer).raw).digest("hex");
}

/** SHA-256 of a public key's DER SPKI in hex. */
export function keyFingerprint(pem: string): string {
  const der = createPublicKey(pem).export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("hex");
}

/** "sha256:1a2b3c4d5e6f" of a chain or key, short enough for a table. */
export function short(fingerprints: readonly string[]): string {
  return fingerprints.map((print) => `sha256:${print.slice(0, 12)}`).join(" ");
}

/**
 * The generation whose chain is exactly this one, certificate by certificate. Several may be
 * trusted; a service uses one of them.
 */
export function matchChain(
  chain: readonly string[],
  records: Readonly<Record<string, { chain: readonly string[] }>>,
): { generation: string | undefined; seen: string; expected: string } {
  const seen = chain.map(certificateFingerprint);
  const known = Object.entries(records).map(([generation, record]) => ({
    generation,
    prints: record.chain.map(certificateFingerprint),
  }));
  const match = known.find((entry) => entry.prints.join() === seen.join());
  return {
    generation: match?.generation,
    seen: seen.length === 0 ? "no certificates" : short(seen),
    expected: known
      .map((entry) => `generation ${entry.generation}: ${short(entry.prints)}`)
      .join("; "),
  };
}

/** The record of the one generation that issues or signs, by its number. */
export function inUse<R>(
  records: Readonly<Record<string, R>>,
  { issues }: { issues: number },
): Record<string, R> {
  const record = records[issues];
  return record === undefined ? {} : { [issues]: record };
}
