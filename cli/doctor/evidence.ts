import type { Growth } from "../../infra/observe/growth.ts";
import type { StackOutputs } from "../../infra/outputs.ts";
import type { Role } from "../../infra/observe/mirror.ts";
import type { KubeObject } from "./kubernetes.ts";

/**
 * All that was seen of a stack at one moment: plain data, no secret. What is in Secrets is there
 * as facts about it (`SecretFacts`), so that nothing that is printed or kept can hold a key.
 */
export interface Evidence {
  /** The clock of the machine that looks. */
  now: Date;
  state: StackState;
  /** As far as this machine can read them. */
  locks: readonly StackLock[];
  /** Every revision that Helm remembers of the stack's Releases. */
  revisions: readonly ReleaseRevision[];
  /** The objects that should be there, as they are; by `title`. Secrets are without their data. */
  live: Readonly<Record<string, KubeObject>>;
  /** By `title`. */
  secrets: Readonly<Record<string, SecretFacts>>;
  served: Served;
  /** The addresses that clients use. */
  addresses: readonly Address[];
  /** What became of the logs since their last recorded checkpoints. */
  growths: readonly Growth[];
}

/** What Pulumi's state says. */
export interface StackState {
  outputs: StackOutputs;
  objects: readonly ManagedObject[];
  releases: readonly ReleaseName[];
  /** Names of the private keys that are in the state. */
  keys: readonly string[];
  /** What an update that was killed had begun, as URNs. */
  pending: readonly string[];
}

/** A lock of the stack, and what is known of its owner. */
export interface StackLock {
  owner: "dead" | "alive" | "elsewhere";
  /** Who it is, and why that is known. */
  why: string;
}

export interface ReleaseName {
  namespace: string;
  name: string;
}

/** An object that Pulumi made by itself, not through Helm. */
export interface ManagedObject {
  /** As the program set it; what is secret is left out. */
  expected: KubeObject;
  /** Of the object that Pulumi last wrote; they differ when somebody else has written since. */
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  /** What the object had then. */
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}

/** One revision of a Release, from Helm's own Secret. */
export interface ReleaseRevision extends ReleaseName {
  revision: number;
  /** `deployed`, `superseded`, `failed`, `pending-upgrade` … */
  status: string;
  /** Rendered and post-rendered, each in a namespace. */
  objects: readonly KubeObject[];
}

/** What is known of a Secret without its content. */
export interface SecretFacts {
  /** The Secret's keys. */
  entries: Readonly<Record<string, SecretEntry>>;
  /** ct_server's configuration with what it names; only where the Secret has one. */
  ctLog?: CtLogFacts | undefined;
}

export type SecretEntry =
  /** A private key that signs, known by its public half; SHA-256 of the DER SPKI, hex. */
  | { type: "key"; fingerprint: string }
  /** Certificates in their order, by SHA-256 of their DER, hex. */
  | { type: "certificates"; fingerprints: string[] }
  /** It begins as a key or certificate does, but is none. */
  | { type: "damaged" }
  | { type: "other" };

export interface CtLogFacts {
  /** host:port of Trillian; undefined when the text is no configuration. */
  backend: string | undefined;
  logs: readonly CtLogEntryFacts[];
}

export interface CtLogEntryFacts {
  prefix: string;
  treeId: string;
  readOnly: boolean;
  /** SHA-256 of the DER SPKI, hex; of the configured public key and of the key in the file. */
  publicKey: string | undefined;
  privateKey: string | undefined;
  /** SHA-256 fingerprints of the accepted roots, hex; of files that are there and hold one. */
  roots: readonly string[];
}

/** What the services' pods answer, each asked by itself. */
export interface Served {
  fulcio: readonly Replica<FulcioAnswer>[];
  ctLog: readonly Replica<CtLogAnswer>[];
  /** By generation. */
  rekor: Readonly<Record<string, readonly Replica<RekorAnswer>[]>>;
  tsa: readonly Replica<TsaAnswer>[];
  tuf: readonly Replica<TufAnswer>[];
}

export interface Replica<T> {
  namespace: string;
  pod: string;
  /** Ready and not ending; only these are asked. */
  serving: boolean;
  /** What Kubernetes says about a pod that does not serve, or why it did not answer. */
  trouble?: string | undefined;
  /** The pod's clock, from its answer. */
  clock?: Date | undefined;
  answer?: T | undefined;
}

export interface FulcioAnswer {
  /** SHA-256 of the DER of each certificate, issuer first. */
  chain: string[];
  issuers: { issuer: string; clientId: string }[];
}

/** By the prefix of each log that should be there. */
export type CtLogAnswer = Record<
  string,
  {
    roots: string[];
    /** Why the tree head is not one of the recorded key; undefined when it is. */
    fault?: string | undefined;
  }
>;

export interface RekorAnswer {
  treeId: string;
  /** SHA-256 of the DER SPKI, hex. */
  key: string;
  /** Why the checkpoint is not the recorded log's; undefined when it is. */
  fault?: string | undefined;
}

export interface TsaAnswer {
  chain: string[];
}

export type TufAnswer =
  /** What a client says that refuses the mirror, and until when the served timestamp.json lives. */
  | { refused: string; timestampExpires: Date | undefined }
  | {
      refused?: undefined;
      version: number;
      revision: string;
      roles: Record<Role, { version: number; expires: Date }>;
    };

export interface Address {
  name: string;
  url: string;
  /** Why there is no answer; undefined when there is one. */
  trouble?: string | undefined;
}
