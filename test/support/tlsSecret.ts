// @peculiar/x509 wants the reflection metadata before it is loaded.
import "reflect-metadata";
import { generateKeyPairSync, KeyObject, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { HostExposure } from "../../infra/config/exposure.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A server's certificate with its key, as PEM. */
export async function serverCertificate(args: {
  names: readonly string[];
  notBefore?: Date;
  notAfter?: Date;
  /** Where names were once looked for; clients of today do not. */
  commonName?: string;
}): Promise<{ certificatePem: string; privateKeyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const day = 86_400_000;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    name: `CN=${args.commonName ?? "a server"}`,
    notBefore: args.notBefore ?? new Date(Date.now() - day),
    notAfter: args.notAfter ?? new Date(Date.now() + 90 * day),
    signingAlgorithm: algorithm,
    extensions:
      args.names.length === 0
        ? []
        : [
            new x509.SubjectAlternativeNameExtension(
              args.names.map((value) => ({ type: "dns", value })),
            ),
          ],
  });
  return {
    certificatePem: certificate.toString("pem"),
    privateKeyPem: String(KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" })),
  };
}

/** A Secret's type and data, as the API gives them. */
export function tlsSecret(pair: { certificatePem: string; privateKeyPem: string }) {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return {
    type: "kubernetes.io/tls",
    data: { "tls.crt": base64(pair.certificatePem), "tls.key": base64(pair.privateKeyPem) },
  };
}

/** A key that is nobody's. */
export function otherKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return String(privateKey.export({ type: "pkcs8", format: "pem" }));
}

/** Host names of a stack, as in its configuration. */
export const hosts: HostExposure["hosts"] = {
  tuf: "tuf.example.com",
  fulcio: "fulcio.example.com",
  tsa: "tsa.example.com",
  ctLog: "ctlog.example.com",
  rekor: { "1": "rekor-1.example.com" },
};
