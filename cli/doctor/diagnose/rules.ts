import type { Difference } from "../compare.ts";
import { isRecord, type KubeObject } from "../kubernetes.ts";
import { splitPem } from "../../verify/certificates.ts";
import { outageOf, type Component, type Fault } from "./fault.ts";

/** What a changed field means. */
export type Judgement = Pick<Fault, "id" | "users" | "cause" | "explains">;

interface Rule extends Pick<Fault, "id" | "explains"> {
  component?: RegExp;
  kind?: string;
  path: RegExp;
  /** What users see; the component's outage if left out. */
  users?: readonly string[];
  /** What it means, before the field is named. */
  means: string;
}

export const seen = {
  ctl: "Error entering certificate in CTL",
  sct: "only able to verify 0 SCT entries; unable to meet threshold of 1",
  entries: "not enough verified log entries from transparency log: 0 < 1",
  rekorKey: "rekor log public key not found for payload",
  timestamps: "threshold not met for verified signed timestamps: 0 < 1",
  refresh: "tuf refresh failed",
  x509: "tls: failed to verify certificate: x509",
} as const;

const noCheckpoint = ["No matching checkpoint signature found", "invalid checkpoint signature"];
const everything = ["serving", "identity"] as const;

/** The first that fits counts. */
const rules: readonly Rule[] = [
  {
    component: /^fulcio$/,
    path: /args\[--ct-log-url\]/,
    id: "fulcio-ct-log-url",
    users: [seen.ctl],
    means: "Fulcio writes to another CT log than the one in use.",
    explains: everything,
  },
  {
    component: /^fulcio$/,
    kind: "ConfigMap",
    path: /^data\.config\./,
    id: "fulcio-issuers-changed",
    users: ["There was an error processing the identity token"],
    means: "Fulcio's list of token issuers is not the configured one.",
    explains: ["serving", "accepts"],
  },
  {
    component: /^rekor-/,
    path: /args\[--rekor_server\.signer\]/,
    id: "rekor-signer-changed",
    users: [seen.rekorKey, seen.entries],
    means: "Rekor does not sign with its key file; in memory it makes a key at each start.",
    explains: everything,
  },
  {
    component: /^rekor-/,
    path: /args\[--rekor_server\.hostname\]/,
    id: "rekor-hostname-changed",
    users: noCheckpoint,
    means: "Rekor signs its checkpoints in another name than the one that clients expect.",
    explains: everything,
  },
  {
    component: /^rekor-/,
    path: /^data\.treeID$|args\[--trillian_log_server\.tlog_id\]/i,
    id: "rekor-tree-changed",
    users: [seen.entries],
    means: "Rekor writes to another tree than the recorded one.",
    explains: everything,
  },
  {
    component: /^tsa$/,
    kind: "ConfigMap",
    path: /^data\.chain\.pem$/,
    id: "tsa-chain-changed",
    users: [seen.timestamps],
    means: "The timestamp authority's chain is not the recorded one.",
    explains: everything,
  },
  {
    component: /^tuf$/,
    kind: "ConfigMap",
    path: /^data\.(\d+\.\w+\.json|root\.json|targets__)/,
    id: "tuf-repository-changed",
    users: [seen.refresh],
    means: "A published file is not as it was signed.",
    explains: ["serving", "content", "fresh"],
  },
  {
    component: /^tuf$/,
    kind: "Deployment",
    path: /^spec\.(selector|template\.(metadata|spec\.volumes))/,
    id: "tuf-revision-old",
    users: [seen.refresh],
    means: "The mirror's pods show another revision than the published one.",
    explains: ["serving", "content", "fresh"],
  },
  {
    kind: "Deployment",
    path: /volumes\[[^\]]*\](\.secret)?|secretKeyRef/,
    id: "other-secret",
    means: "The pods read another Secret than the one that was made for them.",
    explains: everything,
  },
  {
    kind: "Deployment",
    path: /^spec\.replicas$/,
    id: "scaled-to-zero",
    means: "Somebody has scaled it down to nothing.",
    explains: ["serving"],
  },
  {
    kind: "Service",
    path: /^spec\.selector/,
    id: "service-selector",
    means: "The Service leads to other pods than the ones that serve, or to none.",
    explains: ["serving", "content", "fresh"],
  },
  {
    kind: "Service",
    path: /^spec\.(ports|type)/,
    id: "service-port",
    means: "The Service listens on another port.",
    explains: ["serving"],
  },
  {
    path: /./,
    id: "object-changed",
    users: [],
    means: "A field was changed in the cluster.",
    explains: ["serving", "identity", "accepts", "content"],
  },
];

/** What a difference means for those who use the stack. */
export function judge(component: Component, object: KubeObject, difference: Difference): Judgement {
  const rule = rules.find(
    (candidate) =>
      (candidate.component?.test(component) ?? true) &&
      (candidate.kind ?? object.kind) === object.kind &&
      candidate.path.test(difference.path),
  )!;
  const { id, users = outageOf(component), means, explains } = rule;
  if (id === "tsa-chain-changed" && isReordered(difference)) {
    const cause = "The TSA's certificates are in another order; the leaf must come first.";
    return { id: "tsa-chain-misordered", users, cause, explains };
  }
  return { id, users, cause: `${means} ${describe(difference)}`, explains };
}

function isReordered({ expected, live }: Difference): boolean {
  const [wanted, found] = [expected, live].map((pem) => splitPem(String(pem)).sort().join());
  return wanted === found;
}

/** `spec.replicas is 0, not 2`; long texts by the line where they begin to differ. */
function describe({ path, expected, live }: Difference): string {
  if (live === undefined) return `${path} is gone; it was ${brief(expected)}.`;
  if (expected === undefined) return `${path} is new: ${brief(live)}.`;
  if (typeof expected === "string" && typeof live === "string" && expected.includes("\n")) {
    const [wanted, found] = [expected, live].map((text) => text.split("\n"));
    const line = wanted!.findIndex((text, index) => text !== found![index]) + 1;
    return `${path} differs at line ${line === 0 ? wanted!.length + 1 : line}.`;
  }
  return `${path} is ${brief(live)}, not ${brief(expected)}.`;
}

function brief(value: unknown): string {
  const text = isRecord(value) || Array.isArray(value) ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
