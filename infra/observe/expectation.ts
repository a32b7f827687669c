import * as z from "zod";
import { logTargetSchema } from "./logs.ts";

/** NAMESPACE/SERVICE:PORT inside the cluster. */
const service = z.string();

const ctLog = z.strictObject({
  service,
  /** Prefixes that every replica must serve, separated by spaces. */
  prefixes: z.string(),
  /** Generation → SHA-256 (hex, of the DER) of each CA root that every prefix must accept: no other. */
  roots: z.record(z.string(), z.string()),
});

const mirror = z.strictObject({
  /** The pods to ask: those behind the Service … */
  service: service.optional(),
  /** … or, before it leads there, those with labels of their own: NAMESPACE/LABELS:PORT. */
  pods: z.string().optional(),
  /** The Service whose pods clients have seen: none of these may serve an older timestamp. */
  after: service.optional(),
  /** SHA-256 (hex) of the first root.json, where the walk begins. */
  root: z.string(),
  /** Of targets.json and snapshot.json. */
  version: z.coerce.number().int(),
  revision: z.string(),
});

const fulcio = z.strictObject({
  service,
  /** SHA-256 (hex) of the root that every replica must issue under. */
  root: z.string(),
  /** The CT log that every replica must write to. */
  ctLogUrl: z.string(),
});

/** What a gate waits for: public facts alone. */
export const expectationSchema = z.strictObject({
  /** What the update does next, in words. */
  before: z.string(),
  /** The kubeconfig's context, where the stack names one. */
  context: z.string().optional(),
  ctLog: ctLog.optional(),
  mirror: mirror.optional(),
  fulcio: fulcio.optional(),
  /** Logs whose checkpoints are written down, each as JSON. */
  logs: z
    .record(
      z.string(),
      z.string().transform((json) => namedLog.parse(JSON.parse(json))),
    )
    .optional(),
});

/** A log with the name under which its checkpoint is written down. */
export const namedLog = z.strictObject({ name: z.string(), ...logTargetSchema.shape });
export type NamedLog = z.infer<typeof namedLog>;

export type Expectation = z.infer<typeof expectationSchema>;

const prefix = "EXPECT";
const separator = "__";

type Leaves<T> = { readonly [name: string]: T | undefined | Leaves<T> };

/**
 * An expectation as environment variables, one for each fact: so a preview shows line by line what
 * will be true, even where another fact is not known yet. `ctLog.roots.2` is EXPECT__ctLog__roots__2.
 */
export function toEnvironment<T>(
  expected: Leaves<T>,
  isLeaf: (value: T | Leaves<T>) => value is T,
  path: readonly string[] = [prefix],
): Record<string, T> {
  const entries = Object.entries(expected).flatMap(([name, value]): [string, T][] => {
    if (value === undefined) return [];
    const inner = [...path, name];
    return isLeaf(value)
      ? [[inner.join(separator), value]]
      : Object.entries(toEnvironment(value, isLeaf, inner));
  });
  return Object.fromEntries(entries);
}

/** The expectation that the environment holds. @throws ZodError when it is none */
export function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Expectation {
  const root: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(environment)) {
    const [first, ...path] = name.split(separator);
    const last = path.pop();
    if (first !== prefix || last === undefined || value === undefined) continue;
    let at = root;
    for (const part of path) at = (at[part] ??= {}) as Record<string, unknown>;
    at[last] = value;
  }
  return expectationSchema.parse(root);
}
