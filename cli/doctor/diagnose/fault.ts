import type { KubeObject, Ref } from "../kubernetes.ts";

/** A part of the stack that stands or falls by itself. */
export type Component =
  "stack" | "trillian" | "ctlog" | `rekor-${number}` | "tsa" | "fulcio" | "tuf";

/** What of a component's service is seen from outside. */
export type Aspect =
  /** It answers at all. */
  | "serving"
  /** Whose certificates, timestamps or tree heads it makes. */
  | "identity"
  /** Which CAs the CT log takes, which tokens Fulcio takes. */
  | "accepts"
  /** What of the TUF repository is shown, and that it has not expired. */
  | "content"
  | "fresh";

/** What was found to be wrong, and what mends it. */
export interface Fault {
  /** Names the kind of fault for pipelines; one word for one cause. */
  id: string;
  component: Component;
  /** The object or address that is not as it should be. */
  place: string;
  /** What users see, in their clients' words; none where nobody sees it yet. */
  users: readonly string[];
  cause: string;
  /** The one command that mends it. */
  command: string;
  /** What `--fix` does; nothing where people must decide. */
  repair?: Repair | undefined;
  /** Of the same component: what else is seen because of it and is no fault of its own. */
  explains: readonly Aspect[];
}

/** What is wrong with a Secret's content, before it is known which Secret it is. */
export type SecretFault = Pick<Fault, "id" | "users" | "cause"> & {
  explains?: readonly Aspect[];
};

export type Repair =
  /** Helm's object as Helm's own record has it. */
  | { type: "apply"; object: KubeObject; release: { namespace: string; name: string } }
  /** An object that Pulumi manages: `pulumi up --refresh`. */
  | { type: "pulumi" }
  /** Pods that hold something else than their objects say. */
  | { type: "restart"; namespace: string; pods: readonly string[] }
  /** The CronJob that signs TUF's timestamp, run now. */
  | { type: "sign" }
  /** A CronJob that was suspended, let on again. */
  | { type: "resume"; object: Ref }
  /** An object without a secret that Pulumi makes anew when it is gone. */
  | { type: "remake"; object: Ref };

/** Something that is seen of a service: a fault only if nothing else explains it. */
export interface Symptom extends Fault {
  aspect: Aspect;
}

export const commands = {
  fix: "anchorhold doctor --fix",
  up: "pulumi up",
  refresh: "pulumi up --refresh",
  recover: "anchorhold recover",
  restore: "anchorhold restore",
} as const;

/** What users see when a component does not answer. */
export const outage: Readonly<Record<string, readonly string[]>> = {
  trillian: ["unexpected result from transparency log", "Error entering certificate in CTL"],
  ctlog: ["Error entering certificate in CTL"],
  rekor: ["error creating log entry: connection refused"],
  tsa: ["getting signed timestamp: connection refused"],
  fulcio: ["getting key from Fulcio: connection refused"],
  tuf: ["tuf refresh failed"],
};

export function outageOf(component: Component): readonly string[] {
  return outage[component.replace(/-\d+$/, "")] ?? [];
}

/** The component that lives in a namespace of the stack. */
export function componentOf(namespace: string, prefix: string): Component {
  const name = namespace.startsWith(`${prefix}-`) ? namespace.slice(prefix.length + 1) : "";
  const known = /^(trillian|ctlog|tsa|fulcio|tuf|rekor-\d+)$/.test(name);
  return known ? (name as Component) : "stack";
}

/** What a component needs to answer: when that is gone, so is this. */
export function needs(component: Component): Component[] {
  return component === "ctlog" || component.startsWith("rekor-") ? ["trillian"] : [];
}
