import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";

/**
 * The fingerprint of a private key's public half; undefined when it is no key or its halves do not
 * belong together. A PEM carries both, and a changed byte in the private one shows in signing alone.
 */
export function keyPair(pem: string, passphrase?: string): string | undefined {
  try {
    const key = createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
    const publicKey = createPublicKey(key);
    const probe = randomBytes(32);
    const pair = verify("sha256", probe, publicKey, sign("sha256", probe, key));
    return pair ? spkiFingerprint(publicKey) : undefined;
  } catch {
    return undefined;
  }
}

/** SHA-256 of a public key's DER SPKI, hex. */
export function spkiFingerprint(key: KeyObject): string {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
}
