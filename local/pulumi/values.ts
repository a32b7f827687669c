import struct from "google-protobuf/google/protobuf/struct_pb.js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";

/**
 * Property values as Pulumi's engine sends them: JSON, where a secret is an object with a signature
 * key and an unknown is one of a few fixed UUIDs (pulumi/sdk/go/common/resource/plugin/rpc.go).
 */
export type Value = null | boolean | number | string | Value[] | Props;
export type Props = { [key: string]: Value };

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** What stands for a value that is not known before the update. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const UNKNOWNS: ReadonlySet<Value> = new Set([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // bool
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

export function isUnknown(value: Value | undefined): boolean {
  return value !== undefined && UNKNOWNS.has(value);
}

export function isObject(value: Value | undefined): value is Props {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSecret(value: Value | undefined): boolean {
  return isObject(value) && value[SIGNATURE] === SECRET;
}

/** Marks a value as secret; a secret stays as it is. */
export function secret(value: Value): Value {
  return isSecret(value) ? value : { [SIGNATURE]: SECRET, value };
}

/** The value inside a secret, or the value itself. */
export function unwrap(value: Value): Value {
  return isObject(value) && isSecret(value) ? unwrap(value["value"] ?? null) : value;
}

/** The same value with no secret mark at any depth. */
export function plain(value: Value): Value {
  const inner = unwrap(value);
  if (Array.isArray(inner)) return inner.map(plain);
  return isObject(inner) ? plainProps(inner) : inner;
}

export function plainProps(props: Props): Props {
  return mapProps(props, plain);
}

export function mapProps(props: Props, change: (value: Value) => Value): Props {
  return Object.fromEntries(Object.entries(props).map(([key, value]) => [key, change(value)]));
}

function some(value: Value, test: (value: Value) => boolean): boolean {
  if (test(value)) return true;
  if (Array.isArray(value)) return value.some((item) => some(item, test));
  return isObject(value) && Object.values(value).some((item) => some(item, test));
}

export function containsSecret(value: Value): boolean {
  return some(value, isSecret);
}

export function containsUnknown(value: Value): boolean {
  return some(value, isUnknown);
}

/** Equality of JSON values; the order of keys does not count. */
export function equal(left: Value | undefined, right: Value | undefined): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, i) => equal(item, right[i]));
  }
  if (isObject(left) && isObject(right)) {
    const keys = Object.keys(left);
    return (
      keys.length === Object.keys(right).length &&
      keys.every((key) => key in right && equal(left[key], right[key]))
    );
  }
  return left === right;
}

/** The object at a path, or an empty one. */
export function objectAt(value: Value | undefined, ...path: string[]): Props {
  const found = at(value, ...path);
  return isObject(found) ? found : {};
}

export function at(value: Value | undefined, ...path: string[]): Value | undefined {
  return path.reduce<Value | undefined>(
    (here, key) => (isObject(here) ? here[key] : undefined),
    value,
  );
}

/** The string at a path, or an empty one. */
export function textAt(value: Value | undefined, ...path: string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

/** The number at a path, or 0. */
export function numberAt(value: Value | undefined, ...path: string[]): number {
  const found = at(value, ...path);
  return typeof found === "number" ? found : 0;
}

/** The objects of the list at a path, or none. */
export function listAt(value: Value | undefined, ...path: string[]): Props[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.filter(isObject) : [];
}

export function fromStruct(message: Struct | undefined): Props {
  return message?.toJavaScript() ?? {};
}

export function toStruct(props: Props): Struct {
  return struct.Struct.fromJavaScript(props);
}
