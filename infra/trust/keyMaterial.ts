import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
} from "node:crypto";

/** An unencrypted private key (PKCS#8 or SEC1 PEM) as PKCS#8 PEM (RFC 5958). */
export function toPkcs8Pem(privateKeyPem: string): string {
  return createPrivateKey(privateKeyPem).export({ type: "pkcs8", format: "pem" }).toString();
}

/** The public half of a private key as PEM SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7). */
export function publicKeyPemOf(privateKeyPem: string): string {
  return createPublicKey(privateKeyPem).export({ type: "spki", format: "pem" }).toString();
}

/** A public key as DER SubjectPublicKeyInfo. */
export function publicKeyDer(publicKeyPem: string): Buffer {
  return createPublicKey(publicKeyPem).export({ type: "spki", format: "der" });
}

/** A log's id: base64 of SHA-256 over the DER SPKI of its key (RFC 6962, section 3.2). */
export function logIdOf(publicKeyPem: string): string {
  return createHash("sha256").update(publicKeyDer(publicKeyPem)).digest("base64");
}

/**
 * An EC private key as encrypted PEM in the old OpenSSL form (RFC 1421 headers, RFC 1423 style
 * encryption), the only encrypted form that ct_server's `PEMKeyFile` reads (Go's
 * `x509.DecryptPEMBlock`). AES-256-CBC; the key is derived by MD5 as that format demands, so the
 * passphrase must be long and random.
 *
 * The same key and passphrase give the same text: the IV is a MAC of the plain key under the
 * passphrase, so a Secret made from it changes only when one of the two does. A fixed IV is safe
 * here because one pair of key and passphrase encrypts one text only.
 *
 * @throws when the key cannot be read, is no EC key, or the passphrase is empty (ct_server
 *   refuses to start with "empty password for file").
 */
export function encryptLegacyPem(privateKeyPem: string, passphrase: string): string {
  if (passphrase === "") throw new Error("the passphrase of a CT log's key must not be empty");
  const der = createPrivateKey(privateKeyPem).export({ type: "sec1", format: "der" });
  const iv = createHmac("sha256", passphrase).update(der).digest().subarray(0, 16);
  const cipher = createCipheriv("aes-256-cbc", legacyKey(passphrase, iv.subarray(0, 8)), iv);
  const body = Buffer.concat([cipher.update(der), cipher.final()]).toString("base64");
  return [
    "-----BEGIN EC PRIVATE KEY-----",
    "Proc-Type: 4,ENCRYPTED",
    `DEK-Info: AES-256-CBC,${iv.toString("hex").toUpperCase()}`,
    "",
    ...(body.match(/.{1,64}/g) ?? []),
    "-----END EC PRIVATE KEY-----",
    "",
  ].join("\n");
}

/**
 * The password of a log's key file, made from the key itself. ct_server wants one, and both lie in
 * the same Secret, so it needs no secrecy of its own; who learns it alone learns nothing of the key.
 */
export function keyPassword(privateKeyPem: string): string {
  const der = createPrivateKey(privateKeyPem).export({ type: "pkcs8", format: "der" });
  return createHmac("sha256", der).update("anchorhold ct_server key file").digest("base64url");
}

/** OpenSSL's EVP_BytesToKey with MD5 and one iteration: 32 bytes. */
function legacyKey(passphrase: string, salt: Buffer): Buffer {
  const md5 = (...parts: (Buffer | string)[]) =>
    parts.reduce((hash, part) => hash.update(part), createHash("md5")).digest();
  const first = md5(passphrase, salt);
  return Buffer.concat([first, md5(first, passphrase, salt)]);
}
