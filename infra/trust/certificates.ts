// @peculiar/x509 wants the reflection metadata before it is loaded.
import "reflect-metadata";
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** The distinguished name of a certificate; both parts are shown to clients. */
export interface Subject {
  organization: string;
  commonName: string;
}

type KeyPair = webcrypto.CryptoKeyPair;

interface Validity {
  notBefore: Date;
  notAfter: Date;
}

const ecdsa = { name: "ECDSA", namedCurve: "P-256" };

/**
 * Fulcio's CA: one self-signed root with a path length of 0. A lone root needs no extended key
 * usage for Fulcio, and strict verifiers (OpenSSL's -x509_strict, webpki) want the subject key
 * identifier and critical basicConstraints and keyUsage (RFC 5280, section 4.2).
 *
 * Every call gives other bytes (serial number and signature are random): keep the result.
 *
 * @param args.privateKeyPem EC P-256 or P-384, PKCS#8 or SEC1 PEM
 * @param args.years whole years of validity from `notBefore`
 * @returns the chain as PEM, the issuer of the leaf first; here it is the root alone
 */
export async function makeFulcioCa(args: {
  privateKeyPem: string;
  subject: Subject;
  notBefore: Date;
  years: number;
}): Promise<string[]> {
  const keys = importKeyPair(args.privateKeyPem);
  const root = await makeRoot(keys, toName(args.subject), validity(args.notBefore, args.years));
  return [toPem(root)];
}

/**
 * A TSA's chain (RFC 3161, section 2.3): the leaf has the one extended key usage timeStamping,
 * critical, and its root a path length of 0. The root's private key exists only inside this call
 * and signs this one leaf: nobody can mint another one from it, so it needs no safe place.
 *
 * Every call gives another root: keep the result.
 *
 * @param args.leafPrivateKeyPem EC P-256 or P-384, PKCS#8 or SEC1 PEM
 * @param args.years whole years of validity from `notBefore`, for leaf and root
 * @returns the chain as PEM, leaf first, root last: the order of the TSA's own chain file and of
 *   trusted_root.json
 */
export async function makeTsaChain(args: {
  leafPrivateKeyPem: string;
  subject: Subject;
  notBefore: Date;
  years: number;
}): Promise<string[]> {
  const period = validity(args.notBefore, args.years);
  const leafKeys = importKeyPair(args.leafPrivateKeyPem);
  const rootKeys = await webcrypto.subtle.generateKey(ecdsa, false, ["sign", "verify"]);
  const issuer = toName(args.subject, "Root");
  const root = await makeRoot(rootKeys, issuer, period);
  const leaf = await x509.X509CertificateGenerator.create({
    ...period,
    serialNumber: serialNumber(),
    subject: toName(args.subject),
    // Leaf and root must differ in name, else the leaf looks self-issued.
    issuer,
    publicKey: leafKeys.publicKey,
    signingKey: rootKeys.privateKey,
    signingAlgorithm: signingAlgorithm(rootKeys),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.timeStamping], true),
      await x509.SubjectKeyIdentifierExtension.create(leafKeys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  });
  return [toPem(leaf), toPem(root)];
}

async function makeRoot(keys: KeyPair, name: x509.Name, period: Validity) {
  const usages = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
  return x509.X509CertificateGenerator.createSelfSigned({
    ...period,
    serialNumber: serialNumber(),
    name,
    keys,
    signingAlgorithm: signingAlgorithm(keys),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(usages, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
}

/** The key pair behind a PEM private key, as WebCrypto wants it. */
function importKeyPair(privateKeyPem: string): KeyPair {
  const key = createPrivateKey(privateKeyPem);
  const curves: Record<string, string> = { prime256v1: "P-256", secp384r1: "P-384" };
  const namedCurve = curves[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (namedCurve === undefined) throw new Error("a certificate's key must be EC P-256 or P-384");
  const algorithm = { name: "ECDSA", namedCurve };
  return {
    privateKey: key.toCryptoKey(algorithm, false, ["sign"]),
    publicKey: createPublicKey(privateKeyPem).toCryptoKey(algorithm, true, ["verify"]),
  };
}

/** The hash goes with the curve: SHA-384 for P-384, else SHA-256. */
function signingAlgorithm(keys: KeyPair): webcrypto.EcdsaParams {
  const { namedCurve } = keys.privateKey.algorithm as webcrypto.EcKeyAlgorithm;
  return { name: "ECDSA", hash: namedCurve === "P-384" ? "SHA-384" : "SHA-256" };
}

function validity(notBefore: Date, years: number): Validity {
  const notAfter = new Date(notBefore);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + years);
  return { notBefore, notAfter };
}

/** 16 random bytes in hex, positive and not zero (RFC 5280, section 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes.readUInt8(0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

/** With the string type named: a plain string would be parsed for quotes, escapes and `#`. */
function toName(subject: Subject, unit?: string): x509.Name {
  const part = (type: string, utf8String: string) => ({ [type]: [{ utf8String }] });
  return new x509.Name([
    part("O", subject.organization),
    ...(unit === undefined ? [] : [part("OU", unit)]),
    part("CN", subject.commonName),
  ]);
}

function toPem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem").trim()}\n`;
}
