import { listAt, objectAt, textAt, type Props } from "../values.ts";

/** What names an object of a cluster. */
export interface Ref {
  apiVersion: string;
  kind: string;
  /** Empty for kinds without a namespace. */
  namespace: string;
  name: string;
}

export interface WriteOptions {
  /** Who owns the fields that are written. */
  fieldManager: string;
  /** Computes the result and stores nothing. */
  dryRun?: boolean;
  /** Server-side apply: with false, a change of a field that another manager owns is a conflict. */
  force?: boolean;
}

export type Scope = "namespaced" | "cluster";

/**
 * The side of a Kubernetes cluster that the stand-in plugin needs. There are two: a real one over
 * its API, and one in memory for tests of the program with the real Pulumi engine.
 */
export interface Cluster {
  /** Whether a kind lives in namespaces; undefined for a kind that the cluster does not have. */
  scope(apiVersion: string, kind: string): Promise<Scope | undefined>;
  /** The object, or undefined when it is not there. */
  get(ref: Ref): Promise<Props | undefined>;
  list(of: { apiVersion: string; kind: string; namespace: string }): Promise<Props[]>;
  /** Fails when the object is there already. */
  create(object: Props, options: WriteOptions): Promise<Props>;
  /** Server-side apply onto an existing object. */
  apply(object: Props, options: WriteOptions): Promise<Props>;
  /** Starts deletion; an object that is gone already is no error. */
  delete(ref: Ref, propagation: "Foreground" | "Background" | "Orphan"): Promise<void>;
  /** Returns after a moment in which the cluster may have moved on. */
  pause(signal: AbortSignal): Promise<void>;
}

/** An answer of the API server other than success. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** No answer at all: the cluster is not there, or not yet. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

export function refOf(object: Props): Ref {
  return {
    apiVersion: textAt(object, "apiVersion"),
    kind: textAt(object, "kind"),
    namespace: textAt(object, "metadata", "namespace"),
    name: textAt(object, "metadata", "name"),
  };
}

export function annotation(object: Props, name: string): string {
  return textAt(objectAt(object, "metadata", "annotations"), name);
}

/** The condition of a type in `status.conditions`, or an empty object. */
export function condition(object: Props, type: string): Props {
  return listAt(object, "status", "conditions").find((item) => item["type"] === type) ?? {};
}
