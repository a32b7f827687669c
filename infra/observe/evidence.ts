import type { Bundle } from "@sigstore/bundle";
import { RFC3161Timestamp, X509Certificate } from "@sigstore/core";

/** What a bundle brings along so that it verifies without asking anybody. */
export interface Evidence {
  /** Log ids (hex) of the SCTs in the leaf certificate (RFC 6962, section 3.3). */
  scts: string[];
  /** Rekor's entries that carry an inclusion proof with a checkpoint. */
  proofs: { logIndex: number; treeSize: number }[];
  /** Times of the RFC 3161 timestamps. */
  timestamps: Date[];
}

/** Reads the evidence; whether it is true is for a verifier to say. */
export function evidenceOf(bundle: Bundle): Evidence {
  const { tlogEntries, timestampVerificationData } = bundle.verificationMaterial;
  return {
    scts: sctLogIds(bundle),
    proofs: tlogEntries.flatMap(({ inclusionProof }) =>
      inclusionProof?.checkpoint?.envelope
        ? [{ logIndex: Number(inclusionProof.logIndex), treeSize: Number(inclusionProof.treeSize) }]
        : [],
    ),
    timestamps: (timestampVerificationData?.rfc3161Timestamps ?? []).map(
      ({ signedTimestamp }) => RFC3161Timestamp.parse(Buffer.from(signedTimestamp)).signingTime,
    ),
  };
}

/** The signer's certificate; undefined for a bundle that was signed with a bare key. */
export function leafOf(bundle: Bundle): X509Certificate | undefined {
  const { content } = bundle.verificationMaterial;
  switch (content.$case) {
    case "certificate":
      return X509Certificate.parse(Buffer.from(content.certificate.rawBytes));
    case "x509CertificateChain": {
      const [leaf] = content.x509CertificateChain.certificates;
      return leaf && X509Certificate.parse(Buffer.from(leaf.rawBytes));
    }
    case "publicKey":
      return undefined;
  }
}

function sctLogIds(bundle: Bundle): string[] {
  const extension = leafOf(bundle)?.extSCT;
  return extension?.signedCertificateTimestamps.map((sct) => sct.logID.toString("hex")) ?? [];
}
