import { certificateFingerprint, splitPem } from "../../verify/certificates.ts";
import type { SecretEntry, SecretFacts } from "../evidence.ts";
import { dataOf, type KubeObject } from "../kubernetes.ts";
import { ctLogFacts } from "./ctLogSecret.ts";
import { keyPair } from "./keys.ts";

/**
 * What is known of a Secret. The content is looked at here and nowhere else, and only its public
 * side goes on.
 */
export function secretFacts(secret: KubeObject): SecretFacts {
  const texts = Object.fromEntries(
    Object.entries(dataOf(secret)).map(([key, value]) => [
      key,
      Buffer.from(value, "base64").toString(),
    ]),
  );
  const entries = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, entryOf(text)]),
  );
  const { config } = texts;
  return { entries, ...(config === undefined ? {} : { ctLog: ctLogFacts(config, texts) }) };
}

/** The object without what it holds. */
export function withoutData({ apiVersion, kind, metadata, type }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata, type };
}

function entryOf(text: string): SecretEntry {
  if (/^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    // An encrypted one is judged together with its password.
    if (text.includes("ENCRYPTED")) return { type: "other" };
    const fingerprint = keyPair(text);
    return fingerprint === undefined ? { type: "damaged" } : { type: "key", fingerprint };
  }
  return /^\s*-----BEGIN CERTIFICATE-----/.test(text) ? certificates(text) : { type: "other" };
}

function certificates(text: string): SecretEntry {
  try {
    const fingerprints = splitPem(text).map(certificateFingerprint);
    return fingerprints.length === 0 ? { type: "damaged" } : { type: "certificates", fingerprints };
  } catch {
    return { type: "damaged" };
  }
}
