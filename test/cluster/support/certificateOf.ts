import { createSign, generateKeyPairSync, X509Certificate } from "node:crypto";
import { ASN1Obj, X509Certificate as Certificate } from "@sigstore/core";

/** What a certificate says of who signed. */
export interface Named {
  /** `email:alex@company.test`, `URI:https://…`. */
  san: string;
  /** Fulcio's extensions (1.3.6.1.4.1.57264.1.N) by N: text, or the DER in hex where it is none. */
  extensions: Readonly<Record<string, string>>;
}

/** Fulcio's arc of extensions (fulcio, docs/oid-info.md); the first six are bare text, not DER. */
const arc = "1.3.6.1.4.1.57264.1";
const lastBare = 6;

/** @param certificate PEM or DER */
export function named(certificate: string | Buffer): Named {
  const parsed = new X509Certificate(certificate);
  const ours = Certificate.parse(parsed.raw);
  const extensions: Record<string, string> = {};
  for (let n = 1; n <= 30; n += 1) {
    const value = ours.extension(`${arc}.${n}`)?.value;
    if (value === undefined) continue;
    extensions[n] =
      n <= lastBare ? value.toString() : ASN1Obj.parseBuffer(Buffer.from(value)).value.toString();
  }
  return { san: parsed.subjectAltName ?? "", extensions };
}

/** The signer's certificate in a bundle. */
export function namedIn(bundle: string): Named {
  const { verificationMaterial } = JSON.parse(bundle) as {
    verificationMaterial: { certificate: { rawBytes: string } };
  };
  return named(Buffer.from(verificationMaterial.certificate.rawBytes, "base64"));
}

/**
 * Asks Fulcio for a certificate and nothing else, so that its own answer is seen: clients look at a
 * token first, and refuse some by themselves.
 */
export async function askFulcio(
  fulcio: string,
  token: string,
): Promise<Named | { refused: string }> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [, payload = ""] = token.split(".");
  const { sub = "", email = sub } = JSON.parse(Buffer.from(payload, "base64url").toString()) as {
    sub?: string;
    email?: string;
  };
  const proof = createSign("sha256").update(email).sign(privateKey).toString("base64");
  const response = await fetch(`${fulcio}/api/v2/signingCert`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      credentials: { oidcIdentityToken: token },
      publicKeyRequest: {
        publicKey: {
          algorithm: "ECDSA",
          content: publicKey.export({ type: "spki", format: "pem" }),
        },
        proofOfPossession: proof,
      },
    }),
  });
  const text = await response.text();
  if (!response.ok) return { refused: `HTTP ${response.status} ${text}` };
  const { signedCertificateEmbeddedSct: signed } = JSON.parse(text) as {
    signedCertificateEmbeddedSct: { chain: { certificates: string[] } };
  };
  return named(signed.chain.certificates[0] ?? "");
}
