import { generateKeyPairSync } from "node:crypto";
import { makeFulcioCa, makeTsaChain } from "../../../infra/trust/certificates.ts";
import { logIdOf } from "../../../infra/trust/keyMaterial.ts";
import type { FulcioCaRecord, LogRecord, TsaRecord } from "../../../infra/trust/records.ts";
import type { TrustRecords } from "../../../infra/trust/trustedRoot.ts";

/** A new EC key pair as PEM: SEC1, the form that `tls.PrivateKey` gives, or PKCS#8. */
export function ecKeyPair(namedCurve = "P-256", type: "sec1" | "pkcs8" = "pkcs8") {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  return {
    privateKeyPem: privateKey.export({ type, format: "pem" }).toString(),
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}

export const subject = { organization: 'Example, "Inc."', commonName: "anchorhold test" };

/** Day `generation` of 2026: each generation starts later than the one before. */
export function startOf(generation: number): string {
  return `2026-01-${String(generation).padStart(2, "0")}T03:04:05Z`;
}

function common(generation: number) {
  const start = startOf(generation);
  return { apiVersion: "anchorhold/v1", generation, source: "generated", start } as const;
}

export function logRecord(generation: number, baseUrl: string): LogRecord {
  const { publicKeyPem } = ecKeyPair();
  return {
    ...common(generation),
    publicKeyPem,
    keyDetails: "PKIX_ECDSA_P256_SHA_256",
    logIdRule: "sha256-spki",
    logId: logIdOf(publicKeyPem),
    treeId: `805678901234567890${generation}`,
    baseUrl,
    origin: new URL(baseUrl).host,
  };
}

export async function fulcioCaRecord(generation: number): Promise<FulcioCaRecord> {
  const { privateKeyPem } = ecKeyPair();
  const notBefore = new Date(startOf(generation));
  const chain = await makeFulcioCa({ privateKeyPem, subject, notBefore, years: 10 });
  return { ...common(generation), chain, uri: "http://fulcio.example.test" };
}

export async function tsaRecord(generation: number): Promise<TsaRecord> {
  const { privateKeyPem: leafPrivateKeyPem } = ecKeyPair();
  const notBefore = new Date(startOf(generation));
  const chain = await makeTsaChain({ leafPrivateKeyPem, subject, notBefore, years: 20 });
  return { ...common(generation), chain, uri: "http://tsa.example.test" };
}

/** Records of the generations 1 … `count` of every kind. */
export async function trustRecords(count: number): Promise<TrustRecords> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return {
    fulcioCa: await Promise.all(numbers.map(fulcioCaRecord)),
    ctLog: numbers.map((n) => logRecord(n, `http://ctlog.example.test/ct-${n}`)),
    rekor: numbers.map((n) => logRecord(n, `http://rekor-${n}.example.test`)),
    tsa: await Promise.all(numbers.map(tsaRecord)),
  };
}
