import { generateKeyPairSync } from "node:crypto";
import { ctLogSecretMount } from "../../../infra/scaffold/names.ts";
import { makeFulcioCa } from "../../../infra/trust/certificates.ts";
import { ctLogConfig } from "../../../infra/trust/ctLogConfig.ts";
import { encryptLegacyPem, logIdOf } from "../../../infra/trust/keyMaterial.ts";
import { windowStart } from "../../../infra/trust/record.ts";
import type { FulcioCaRecord, LogRecord } from "../../../infra/trust/records.ts";

/** A CA or a log: what clients know of it, and its key. */
export interface Keyed<R> {
  record: R;
  privateKeyPem: string;
}

/** A P-256 key pair as PEM; the private key as PKCS#8. */
export function newKey() {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function facts(generation: number) {
  const start = windowStart(new Date());
  return { apiVersion: "anchorhold/v1", generation, source: "generated", start } as const;
}

/** @param uri where clients reach Fulcio */
export async function newCa(generation: number, uri: string): Promise<Keyed<FulcioCaRecord>> {
  const { privateKeyPem } = newKey();
  const about = facts(generation);
  const chain = await makeFulcioCa({
    privateKeyPem,
    subject: { organization: "plain", commonName: "fulcio" },
    notBefore: new Date(about.start),
    years: 1,
  });
  return { record: { ...about, chain, uri }, privateKeyPem };
}

/** @param at the log's URL, which ends in its prefix */
export function newLog(treeId: string, at: string): Keyed<LogRecord> {
  const { publicKeyPem, privateKeyPem } = newKey();
  const record: LogRecord = {
    ...facts(1),
    publicKeyPem,
    keyDetails: "PKIX_ECDSA_P256_SHA_256",
    logIdRule: "sha256-spki",
    logId: logIdOf(publicKeyPem),
    treeId,
    baseUrl: at,
    origin: at.replace(/^.*\//, ""),
  };
  return { record, privateKeyPem };
}

/** Keys of Fulcio's Secret, as the chart's Job writes them. */
export const fulcioSecret = ({ record, privateKeyPem }: Keyed<FulcioCaRecord>) => ({
  private: privateKeyPem,
  password: "",
  cert: record.chain.join(""),
});

/** Keys of the CT log's Secret: it accepts the one CA that was there when it was made. */
export function ctLogSecret(
  { record, privateKeyPem }: Keyed<LogRecord>,
  ca: FulcioCaRecord,
  trillian: { host: string; port: number },
): Record<string, string> {
  const privateKeyPassword = "plain";
  const log = {
    ...{ generation: 1, prefix: record.origin, treeId: record.treeId },
    publicKeyPem: record.publicKeyPem,
    privateKeyPath: `${ctLogSecretMount}/key.pem`,
    privateKeyPassword,
  };
  const rootsPemFiles = [`${ctLogSecretMount}/roots.pem`];
  return {
    config: ctLogConfig({ logs: [log], rootsPemFiles, trillian }),
    "key.pem": encryptLegacyPem(privateKeyPem, privateKeyPassword),
    "roots.pem": ca.chain.join(""),
  };
}
