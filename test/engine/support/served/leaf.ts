// @peculiar/x509 wants the reflection metadata before it is loaded.
import "reflect-metadata";
import { randomBytes, type KeyObject } from "node:crypto";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256" };

/** A certificate for ten minutes, as Fulcio issues it; PEM. */
export async function issueLeaf(
  issuerPem: string,
  issuerKey: KeyObject,
  publicKey: KeyObject,
): Promise<string> {
  const issuer = new x509.X509Certificate(issuerPem);
  const now = Date.now();
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: `40${randomBytes(15).toString("hex")}`,
    issuer: issuer.subjectName,
    subject: "",
    notBefore: new Date(now),
    notAfter: new Date(now + 600_000),
    publicKey: publicKey.toCryptoKey(algorithm, true, ["verify"]),
    signingKey: issuerKey.toCryptoKey(algorithm, false, ["sign"]),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.codeSigning])],
  });
  return `${leaf.toString("pem").trim()}\n`;
}
