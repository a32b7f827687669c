import type { StackOutputs } from "../../infra/outputs.ts";
import type { Signer } from "./signer.ts";

/** A ClusterImagePolicy of policy-controller. */
export interface ImagePolicy {
  apiVersion: "policy.sigstore.dev/v1beta1";
  kind: "ClusterImagePolicy";
  metadata: { name: string };
  spec: { images: { glob: string }[]; mode: "enforce" | "warn"; authorities: Authority[] };
}

/** One of a policy's ways to be satisfied. */
interface Authority {
  name: string;
  keyless: object;
  [field: string]: unknown;
}

/** The part of a policy that is asked for. */
export interface PolicyOf {
  name: string;
  images: readonly string[];
  signers: readonly Signer[];
  /** Admit what fails, with a warning. */
  warn: boolean;
  /** What it trusts: the stack's TrustRoot, or the root that policy-controller was started with. */
  root: "trustRoot" | "controller";
}

/** What `cosign sign` writes since version 3: a statement of this type in a Sigstore bundle. */
const signature = { name: "signature", predicateType: "https://sigstore.dev/cosign/sign/v1" };

/**
 * The policy that admits images which one of the signers has signed with this stack: an authority
 * each, of which one must be satisfied. policy-controller refuses several identities in one authority
 * when it reads bundles, and finds the bundles of images among the attestations alone.
 */
export function imagePolicy(
  outputs: Pick<StackOutputs, "prefix" | "services">,
  { name, images, signers, warn, root }: PolicyOf,
): ImagePolicy {
  const { keyless, ...evidence } = evidenceOf[root](outputs.prefix);
  return {
    apiVersion: "policy.sigstore.dev/v1beta1",
    kind: "ClusterImagePolicy",
    metadata: { name },
    spec: {
      images: images.map((glob) => ({ glob })),
      mode: warn ? "warn" : "enforce",
      authorities: signers.map(({ issuer, subject }, index) => ({
        name: `signer-${index + 1}`,
        keyless: {
          // It must be there, and nothing asks it.
          url: outputs.services.fulcio,
          ...keyless,
          identities: [
            "exact" in subject
              ? { issuer, subject: subject.exact }
              : { issuer, subjectRegExp: subject.regexp },
          ],
        },
        ...evidence,
        signatureFormat: "bundle",
        attestations: [signature],
      })),
    },
  };
}

/**
 * What a policy asks for beside the certificate. policy-controller v0.15.1 gives the logs of a
 * TrustRoot wrong ids (its pull request 1968), so that neither SCT nor log entry is ever found there:
 * such a policy must go by the timestamp. With a root of its own it checks SCT and log by default.
 */
const evidenceOf: Record<PolicyOf["root"], (trustRootRef: string) => { keyless: object }> = {
  trustRoot: (trustRootRef) => ({
    keyless: { trustRootRef, insecureIgnoreSCT: true },
    rfc3161timestamp: { trustRootRef },
  }),
  controller: () => ({ keyless: {} }),
};
