import type { StackOutputs } from "../../infra/outputs.ts";
import { CannotRun } from "../errors.ts";
import type { Carried } from "./repository.ts";

/** A TrustRoot of policy-controller: what its policies trust, from a TUF repository. */
export interface TrustRoot {
  apiVersion: "policy.sigstore.dev/v1alpha1";
  kind: "TrustRoot";
  metadata: { name: string; annotations: Record<string, string> };
  spec:
    | { remote: { mirror: string; root: string; targets: string } }
    | { repository: { root: string; mirrorFS: string; targets: string } };
}

/** Where the cluster gets the TUF repository: from a URL, or out of the object itself. */
export type Source = { mirror: string } | Carried;

/** The folder of the targets under the mirror. */
const targets = "targets";

/**
 * The TrustRoot of a stack. The revision is an annotation so that what is printed after a rotation
 * differs: applied, it makes policy-controller read the mirror at once.
 */
export function trustRoot(
  { prefix, initialRoot, revision }: Pick<StackOutputs, "prefix" | "initialRoot" | "revision">,
  source: Source,
): TrustRoot {
  const annotations = { "anchorhold.dev/revision": revision };
  const root = Buffer.from(initialRoot).toString("base64");
  const head = { apiVersion: "policy.sigstore.dev/v1alpha1", kind: "TrustRoot" } as const;
  if ("mirror" in source) {
    const { mirror } = source;
    const metadata = { name: prefix, annotations };
    return { ...head, metadata, spec: { remote: { mirror, root, targets } } };
  }
  const expires = source.expires.toISOString();
  return {
    ...head,
    metadata: { name: prefix, annotations: { ...annotations, "anchorhold.dev/expires": expires } },
    spec: { repository: { root, mirrorFS: source.archive.toString("base64"), targets } },
  };
}

/**
 * The mirror's URL without a slash at its end.
 * @throws CannotRun for what is no http or https URL, and for one with a query or credentials
 */
export function mirrorUrl(given: string): string {
  const url = URL.parse(given);
  const plain = url !== null && ["http:", "https:"].includes(url.protocol);
  if (!plain || `${url.search}${url.hash}${url.username}${url.password}` !== "")
    throw new CannotRun(
      `--mirror ${given}: give the http or https URL at which the cluster reaches the mirror.`,
    );
  return given.replace(/\/+$/, "");
}
