import { UnknownValueError } from "@pulumi/policy";

/** Stands for what a preview cannot know yet; no rule is satisfied by it. */
export const unknown = "(known after the update)";

export type Plain = null | boolean | number | string | undefined | Plain[] | PlainObject;
export type PlainObject = { [key: string]: Plain };

/**
 * A policy's properties as plain values. The SDK hands out a proxy that throws wherever something is
 * not known in a preview, and would let the whole rule pass with a warning.
 */
export function plain(value: unknown): Plain {
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, i) => at(value, i));
  if (typeof value !== "object" || value === null) return value as Plain;
  return Object.fromEntries(Object.keys(value).map((key) => [key, at(value, key)]));
}

export function plainProps(props: Record<string, unknown>): PlainObject {
  return plain(props) as PlainObject;
}

function at(container: object, key: string | number): Plain {
  try {
    return plain((container as Record<string | number, unknown>)[key]);
  } catch (error) {
    if (error instanceof UnknownValueError) return unknown;
    throw error;
  }
}

export function isObject(value: Plain): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text as it is; anything else is an empty one. */
export function text(value: Plain): string {
  return typeof value === "string" ? value : "";
}

/** What lies at a path, or undefined. */
export function find(value: Plain, ...path: string[]): Plain {
  return path.reduce<Plain>((here, key) => (isObject(here) ? here[key] : undefined), value);
}

/** The objects of the list at a path, or none. */
export function list(value: Plain, ...path: string[]): PlainObject[] {
  const found = find(value, ...path);
  return Array.isArray(found) ? found.filter(isObject) : [];
}

/** Every text in a value with its place, such as `values.rekor.server.env[0].value`. */
export function texts(value: Plain, place: string): { place: string; text: string }[] {
  if (typeof value === "string") return [{ place, text: value }];
  if (Array.isArray(value)) return value.flatMap((one, i) => texts(one, `${place}[${i}]`));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, one]) => texts(one, `${place}.${key}`));
}
