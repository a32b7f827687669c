// @peculiar/x509 wants the reflection metadata before it is loaded.
import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const day = 86_400_000;

/** Issues certificates for servers. */
export interface Authority {
  /** Its own certificate as PEM. */
  pem: string;
  issue(names: readonly string[]): Promise<{ certificatePem: string; privateKeyPem: string }>;
}

const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

/** A new certificate authority, for a day. */
export async function certificateAuthority(name: string): Promise<Authority> {
  const keys = await newKeys();
  const life = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ keys, name: `CN=${name}`, ...life, signingAlgorithm: algorithm },
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const issue: Authority["issue"] = async (names) => {
    const { publicKey, privateKey } = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...{ publicKey, signingKey: keys.privateKey, signingAlgorithm: algorithm },
      ...{ issuer: own.subject, subject: "CN=a server", ...life },
      extensions: [
        new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))),
      ],
    });
    const pem = KeyObject.from(privateKey).export({ type: "pkcs8", format: "pem" });
    return { certificatePem: certificate.toString("pem"), privateKeyPem: String(pem) };
  };
  return { pem: own.toString("pem"), issue };
}
