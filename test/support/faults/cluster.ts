import type { KubeObject } from "../../../cli/doctor/kubernetes.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";

/** The side of a cluster that faults are done to: a real one, or one in memory. */
export interface FaultCluster {
  list(apiVersion: string, kind: string, namespace: string): Promise<KubeObject[]>;
  /** Writes the object over what is there; an immutable one is made anew. */
  write(object: KubeObject): Promise<void>;
  create(object: KubeObject): Promise<void>;
  delete(object: KubeObject): Promise<void>;
}

/** A stack to which something is done. */
export interface Target {
  cluster: FaultCluster;
  outputs: StackOutputs;
}

/** What goes wrong in practice, and what it must be called. */
export interface Fault {
  name: string;
  /** The id that doctor gives it. */
  expects: string;
  /** The part of the stack that it lies in: faults of different parts do not touch each other. */
  part: string;
  /** It is one changed byte. */
  byte?: true;
  /** Who mends it with --fix: doctor on the cluster, doctor by running Pulumi, or nobody. */
  mender: "doctor" | "pulumi" | "people";
  inject(target: Target): Promise<void>;
}

const apiVersions: Readonly<Record<string, string>> = {
  Deployment: "apps/v1",
  CronJob: "batch/v1",
  Job: "batch/v1",
  NetworkPolicy: "networking.k8s.io/v1",
  PodDisruptionBudget: "policy/v1",
  Role: "rbac.authorization.k8s.io/v1",
  RoleBinding: "rbac.authorization.k8s.io/v1",
};

/** Where an object is: kind, the namespace without the stack's prefix, and how its name begins. */
export type Place = readonly [kind: string, space: string, name: string];

/** @throws when there is no such object, or more than one */
export async function find({ cluster, outputs }: Target, place: Place): Promise<KubeObject> {
  const [kind, space, name] = place;
  const namespace = kind === "Namespace" ? "" : `${outputs.prefix}-${space}`;
  const all = await cluster.list(apiVersions[kind] ?? "v1", kind, namespace);
  const found = all.filter(({ metadata }) => metadata.name.startsWith(name));
  if (found.length !== 1) throw new Error(`${found.length} of ${place.join(" ")}`);
  return structuredClone(found[0]!);
}

/** Changes an object in place. */
export async function edit(
  target: Target,
  place: Place,
  change: (object: KubeObject) => void,
): Promise<void> {
  const object = await find(target, place);
  change(object);
  await target.cluster.write(object);
}

export async function remove(target: Target, place: Place): Promise<void> {
  await target.cluster.delete(await find(target, place));
}

/** A Secret's or ConfigMap's text; the key is the first that ends so. */
export function read(object: KubeObject, end: string): { key: string; text: string } {
  const data = object["data"] as Record<string, string>;
  const key = Object.keys(data).find((name) => name.endsWith(end));
  if (key === undefined) throw new Error(`no ${end} in ${object.metadata.name}`);
  const text = data[key]!;
  return { key, text: object.kind === "Secret" ? Buffer.from(text, "base64").toString() : text };
}

/** Changes the text under a key. */
export function rewrite(object: KubeObject, end: string, change: (text: string) => string): void {
  const { key, text } = read(object, end);
  const changed = change(text);
  if (changed === text) throw new Error(`nothing changed in ${object.metadata.name} ${key}`);
  (object["data"] as Record<string, string>)[key] =
    object.kind === "Secret" ? Buffer.from(changed).toString("base64") : changed;
}

/** The text with one byte changed: the letter or digit in the middle, or the first of `within`. */
export function changedByte(text: string, within?: RegExp): string {
  const found = within?.exec(text);
  if (within !== undefined && !found) throw new Error(`no ${within} in the text`);
  const from = found ? found.index + found[0].length - 1 : Math.floor(text.length / 2);
  const at = found ? from : text.slice(from).search(/[A-Za-z0-9]/) + from;
  const other = text[at] === "7" ? "8" : "7";
  return text.slice(0, at) + other + text.slice(at + 1);
}

/** The first container's arguments in a Deployment. */
export function args(deployment: KubeObject): string[] {
  return pod(deployment).containers[0]!.args;
}

interface Pod {
  containers: { name: string; image: string; args: string[] }[];
  volumes: { name: string; secret?: { secretName: string }; configMap?: { name: string } }[];
}

export function pod(deployment: KubeObject): Pod {
  return (deployment["spec"] as { template: { spec: Pod } }).template.spec;
}

/** Replaces a flag's value. */
export function setFlag(words: string[], flag: string, value: string): void {
  const at = words.findIndex((word) => word.startsWith(`${flag}=`));
  if (at < 0) throw new Error(`no ${flag}`);
  words[at] = `${flag}=${value}`;
}
