import type { TrustedRoot } from "@sigstore/protobuf-specs";
import { toTrustMaterial, Verifier, type SignedEntity } from "@sigstore/verify";

/** A verifier that trusts this root and insists on each kind of evidence. */
export function strictVerifier(root: TrustedRoot): Verifier {
  // Every timestamp that a bundle has is checked, the TSA's and Rekor's own (integratedTime).
  return new Verifier(toTrustMaterial(root), {
    ctlogThreshold: 1,
    tlogThreshold: 1,
    timestampThreshold: 1,
  });
}

/** Whether the verifier takes it; one that takes all proves nothing. */
export function accepts(verifier: Verifier, entity: SignedEntity): boolean {
  try {
    verifier.verify(entity);
    return true;
  } catch {
    return false;
  }
}
