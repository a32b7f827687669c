import type { DiffKind, PropertyDiff } from "./plugin.ts";
import { equal, isObject, isUnknown, type Value } from "./values.ts";

/** One step into a value: the key of an object or the index of a list. */
export type Step = string | number;

export interface Change {
  path: readonly Step[];
  kind: "ADD" | "DELETE" | "UPDATE";
  old: Value | undefined;
  new: Value | undefined;
}

/**
 * The differences of two values, each at the deepest place where both have something to compare:
 * objects key by key, lists item by item, whole additions and deletions at their root.
 */
export function changes(
  old: Value | undefined,
  now: Value | undefined,
  path: readonly Step[] = [],
): Change[] {
  if (isObject(old) && isObject(now)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
    return keys.flatMap((key) => changes(old[key], now[key], [...path, key]));
  }
  if (Array.isArray(old) && Array.isArray(now)) {
    const indexes = Array.from({ length: Math.max(old.length, now.length) }, (_, i) => i);
    return indexes.flatMap((i) => changes(old[i], now[i], [...path, i]));
  }
  if (equal(old, now)) return [];
  const kind = now === undefined ? "DELETE" : old === undefined ? "ADD" : "UPDATE";
  return [{ path, kind, old, new: now }];
}

/** A path as Pulumi writes it: `spec.containers[0].args`, `data["tls.key"]`. */
export function pathText(path: readonly Step[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    if (/[."[\]]/.test(step)) return `${text}["${step.replaceAll('"', '\\"')}"]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

/** The steps of a path as a user writes it in `ignoreChanges`. */
export function parsePath(text: string): Step[] {
  const steps = text.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g);
  return [...steps].map(([, quoted, index, name]) =>
    index !== undefined ? Number(index) : (quoted?.replaceAll('\\"', '"') ?? name ?? ""),
  );
}

/** Whether one path leads to, or through, another; `*` stands for any step. */
export function isPrefix(prefix: readonly Step[], path: readonly Step[]): boolean {
  return (
    prefix.length <= path.length && prefix.every((step, i) => step === "*" || step === path[i])
  );
}

function isIgnored(change: Change, ignored: readonly Step[][]): boolean {
  return ignored.some((prefix) => isPrefix(prefix, change.path));
}

/** Whether a change touches a place that cannot be changed in place. */
function touches(change: Change, place: readonly Step[]): boolean {
  if (isPrefix(place, change.path)) return true;
  if (!isPrefix(change.path, place)) return false;
  let value = change.new;
  for (const step of place.slice(change.path.length)) {
    if (!isObject(value) || typeof step !== "string" || !(step in value)) return false;
    value = value[step];
  }
  return true;
}

/** The detailed diff that the engine shows; `replacing` lists the places that force a replacement. */
export function detailedDiff(
  all: readonly Change[],
  replacing: readonly (readonly Step[])[],
  ignoreChanges: readonly string[],
): { [path: string]: PropertyDiff } {
  const ignored = ignoreChanges.map(parsePath);
  const entries = all
    .filter((change) => !isIgnored(change, ignored))
    .map((change): [string, PropertyDiff] => {
      const replace = replacing.some((place) => touches(change, place));
      const kind: DiffKind = replace ? `${change.kind}_REPLACE` : change.kind;
      const inputDiff = change.kind === "DELETE" && !isUnknown(change.new);
      return [pathText(change.path), { kind, ...(inputDiff && { inputDiff }) }];
    });
  return Object.fromEntries(entries);
}
