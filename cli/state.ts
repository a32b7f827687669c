import * as z from "zod";
import { clusterSchema } from "../infra/trust/stamps.ts";
import { CannotRun } from "./errors.ts";
import { askPulumi, stackFlag } from "./pulumi.ts";

const resourceSchema = z.looseObject({
  /** The old one is gone already, the new one is not there yet. */
  pendingReplacement: z.boolean().optional(),
  urn: z.string(),
  /** Replaced; the next update deletes it. */
  delete: z.boolean().optional(),
  parent: z.string().optional(),
  dependencies: z.array(z.string()).optional(),
  type: z.string(),
  id: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).default({}),
  outputs: z.record(z.string(), z.unknown()).default({}),
});
/** A resource as the state has it; fields that are not read here are kept. */
export type Resource = z.infer<typeof resourceSchema>;

const operationSchema = z.looseObject({ type: z.string(), resource: resourceSchema });
/** What an update had begun when it was killed: `creating`, `updating`, `deleting` … */
export type PendingOperation = z.infer<typeof operationSchema>;

/** What `pulumi stack export` gives: secrets in it are encrypted. */
export const stateSchema = z.looseObject({
  version: z.int(),
  deployment: z.looseObject({
    manifest: z.looseObject({ time: z.string() }).optional(),
    resources: z.array(resourceSchema).default([]),
    pending_operations: z.array(operationSchema).default([]),
  }),
});
export type State = z.infer<typeof stateSchema>;

/** Reads an exported state; `origin` names it in the error. @throws CannotRun */
export function parseState(text: string, origin: string): State {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CannotRun(`${origin} holds no JSON: it is no exported state.`);
  }
  const parsed = stateSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CannotRun(
    `${origin} is no state that this version reads (${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}).`,
  );
}

/** The stack's state; nothing is locked or changed. @throws CannotRun when there is no such stack */
export async function exportState(stack: string | undefined): Promise<State> {
  const text = await askPulumi(["stack", "export", ...stackFlag(stack)]);
  return parseState(text, "pulumi stack export");
}

/**
 * Replaces the stack's state. Pulumi takes the stack's lock for it, checks the state's integrity,
 * drops its pending operations and asks no provider.
 */
export async function importState(stack: string | undefined, state: State): Promise<void> {
  await askPulumi(["stack", "import", ...stackFlag(stack)], JSON.stringify(state));
}

/** A resource's own name: what follows the last `::` of its URN. */
export const nameOf = ({ urn }: Pick<Resource, "urn">): string => urn.split("::").at(-1) ?? urn;

/** Whose state it is, by its URNs; undefined when it has no resources. */
export function stackOf({ deployment }: State): { project: string; name: string } | undefined {
  const [, name, project] =
    /^urn:pulumi:(.+?)::(.+?)::/.exec(deployment.resources[0]?.urn ?? "") ?? [];
  return name === undefined || project === undefined ? undefined : { project, name };
}

/** What each Stash holds, by its name. */
export function stashesOf(state: State): Record<string, unknown> {
  return Object.fromEntries(
    state.deployment.resources
      .filter(({ type }) => type === "pulumi:index:Stash")
      .map((resource) => [nameOf(resource), resource.outputs["output"]]),
  );
}

/** The uid of the cluster that the state belongs to; undefined when no update has recorded one. */
export function clusterOf(state: State): string | undefined {
  return clusterSchema.safeParse(stashesOf(state)["cluster"]).data?.uid;
}

/** What the names of the stack's namespaces begin with. @throws CannotRun before the first update */
export function prefixOf({ deployment }: State): string {
  const stack = deployment.resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  const prefix = stack?.outputs["prefix"];
  if (typeof prefix === "string") return prefix;
  throw new CannotRun("The stack has no outputs: it was never deployed. Run: pulumi up");
}

/** An object of a cluster. `namespace` is empty for what is in none. */
export interface ObjectRef {
  kind: string;
  namespace: string;
  name: string;
}

/** The object behind a resource of the Kubernetes provider; undefined for any other resource. */
export function objectOf({ type, id, inputs }: Resource): ObjectRef | undefined {
  if (!isKubernetes(type)) return undefined;
  const kind = type.split(":").at(-1) ?? "";
  // A Release has its name among the inputs themselves.
  const metadata = (inputs["metadata"] ?? inputs) as { name?: unknown; namespace?: unknown };
  const path = id ?? [metadata.namespace, metadata.name].filter((part) => part).join("/");
  const [name = "", namespace = ""] = path.split("/").reverse();
  return { kind, namespace, name };
}

/** Whether resources of this type are objects of a cluster, Helm's Releases included. */
export const isKubernetes = (type: string): boolean => type.startsWith("kubernetes:");

/**
 * What was being made when an update was killed and is in the state in no other way: it may be there
 * or not. (Pulumi keeps such an operation even after a later update has made the resource.) Of an
 * object that is made before the one that it replaces goes, the state has the old one by that URN.
 */
export function lost({ deployment }: State): Resource[] {
  const known = deployment.resources.filter(
    ({ pendingReplacement }) => pendingReplacement !== true,
  );
  const isThere = (made: Resource) =>
    known.some(({ urn, inputs }) => urn === made.urn && !isOther(inputs, made.inputs));
  return deployment.pending_operations
    .filter(({ type, resource }) => type === "creating" && !isThere(resource))
    .map(({ resource }) => resource);
}

/** Whether two objects have different names; what has no name is told apart by its URN alone. */
function isOther(one: Resource["inputs"], other: Resource["inputs"]): boolean {
  const named = (inputs: Resource["inputs"]) =>
    (inputs["metadata"] as { name?: string } | undefined)?.name;
  return named(one) !== named(other);
}

/** The namespaces that the stack has, or had begun to make when an update was killed. */
export function namespacesOf({ deployment }: State): string[] {
  const begun = deployment.pending_operations.map(({ resource }) => resource);
  const names = [...deployment.resources, ...begun]
    .flatMap((resource) => objectOf(resource) ?? [])
    .filter(({ kind, name }) => kind === "Namespace" && name !== "")
    .map(({ name }) => name);
  return [...new Set(names)].sort();
}
