// How TUF metadata is signed. The signer inside the cluster runs this very file, so it needs no
// more than Node and the canonical JSON.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { canonicalize } from "@tufjs/canonical-json";

/** A P-256 key pair of a role, as PEM. */
export interface Signer {
  publicKeyPem: string;
  privateKeyPem: string;
}

/** A signature as metadata holds it: ECDSA as DER, in hex. */
export interface SignatureJson {
  keyid: string;
  sig: string;
}

export const specVersion = "1.0.31";

/**
 * A public key as root.json lists it (TUF 1.0.31, section 4.2).
 * @param pem either half of the pair: the public one follows from the private one
 * @throws when the key is not ECDSA P-256
 */
export function keyJson(pem: string) {
  const key = createPublicKey(pem);
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new Error("a TUF key must be ECDSA P-256");
  }
  // Exported again, so that line ends or a missing newline in the text do not change the id.
  const keyval = { public: key.export({ type: "spki", format: "pem" }).toString() };
  return { keytype: "ecdsa", scheme: "ecdsa-sha2-nistp256", keyval };
}

/** SHA-256, in hex, over the canonical JSON of the whole key object (TUF 1.0.31, section 4.2). */
export function keyIdOf(pem: string): string {
  return sha256(canonicalize(keyJson(pem)));
}

/**
 * Signs the canonical form of metadata's `signed` part.
 * @throws when the signer's two keys are no pair
 */
export function signatureOf({ publicKeyPem, privateKeyPem }: Signer, signed: object) {
  const keyid = keyIdOf(publicKeyPem);
  if (keyIdOf(privateKeyPem) !== keyid) {
    throw new Error("a TUF signer's private key does not belong to its public key");
  }
  // DER is Node's default for ECDSA.
  const sig = sign("sha256", canonicalBytes(signed), createPrivateKey(privateKeyPem));
  return { keyid, sig: sig.toString("hex") } satisfies SignatureJson;
}

/** Whether one of the signatures is the key's own over the canonical form of `signed`. */
export function isSignedBy(
  publicKeyPem: string,
  { signed, signatures }: { signed: object; signatures: readonly SignatureJson[] },
): boolean {
  const keyid = keyIdOf(publicKeyPem);
  const bytes = canonicalBytes(signed);
  return signatures
    .filter((signature) => signature.keyid === keyid)
    .some(({ sig }) => verify("sha256", bytes, publicKeyPem, Buffer.from(sig, "hex")));
}

function canonicalBytes(signed: object): Buffer {
  return Buffer.from(canonicalize(signed));
}

/** A time as TUF writes it: RFC 3339 in whole seconds, since python-tuf refuses fractions. */
export function wholeSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** What metadata says of another file: its length in bytes and its SHA-256. */
export function lengthAndHash(content: string) {
  return { length: Buffer.byteLength(content), hashes: { sha256: sha256(content) } };
}

/** SHA-256 of a text's UTF-8 bytes, in hex. */
export function sha256(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}
