import { seededName } from "../names.ts";
import {
  containsSecret,
  containsUnknown,
  isObject,
  isSecret,
  isUnknown,
  mapProps,
  objectAt,
  plainProps,
  secret,
  textAt,
  type Props,
} from "../values.ts";
import { isAutonamed } from "./immutable.ts";

const AUTONAMED = "pulumi.com/autonamed";

/** Fields of `metadata` that only the server sets. */
const SERVER_METADATA = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
];

export function isSecretKind(object: Props): boolean {
  return object["apiVersion"] === "v1" && object["kind"] === "Secret";
}

export function omit(props: Props, keys: readonly string[]): Props {
  return Object.fromEntries(Object.entries(props).filter(([key]) => !keys.includes(key)));
}

function withMetadata(object: Props, change: Props): Props {
  return { ...object, metadata: { ...objectAt(object, "metadata"), ...change } };
}

/** `stringData` as the server would store it: base64 in `data`, where it wins over the latter. */
function mergeStringData(object: Props): Props {
  const { stringData, ...rest } = object;
  if (!isObject(stringData)) return object;
  const encoded = mapProps(stringData, (value) =>
    Buffer.from(typeof value === "string" ? value : "").toString("base64"),
  );
  return { ...rest, data: { ...objectAt(object, "data"), ...encoded } };
}

/** The object without what only the server sets, and without nulls, which mean "not given". */
export function normalize(object: Props): Props {
  const known = !containsUnknown(object);
  const merged = known && isSecretKind(object) ? mergeStringData(object) : object;
  const given = omitNulls(merged);
  const metadata = omit(objectAt(given, "metadata"), SERVER_METADATA);
  return { ...given, metadata };
}

function omitNulls(object: Props): Props {
  const entries = Object.entries(object).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, isObject(value) ? omitNulls(value) : value]),
  );
}

function isNamed(object: Props): boolean {
  const name = objectAt(object, "metadata")["name"];
  return isUnknown(name) || textAt(object, "metadata", "name") !== "";
}

function autonamed(object: Props, name: string): Props {
  const annotations = { ...objectAt(object, "metadata", "annotations"), [AUTONAMED]: "true" };
  return withMetadata(object, { name, annotations });
}

/** Gives an unnamed object a name: the one it has had, or a new one. */
export function assignName(object: Props, olds: Props, base: string, seed: Uint8Array): Props {
  if (isNamed(object)) return object;
  if (Object.keys(olds).length === 0) return autonamed(object, seededName(`${base}-`, seed));
  return isAutonamed(olds) ? autonamed(object, textAt(olds, "metadata", "name")) : object;
}

export function withNamespace(object: Props, namespace: string): Props {
  return withMetadata(object, { namespace });
}

export function withoutNamespace(object: Props): Props {
  return { ...object, metadata: omit(objectAt(object, "metadata"), ["namespace"]) };
}

/**
 * The secret marks of `from`, copied to values of the same place; where shapes differ, one secret
 * inside makes the whole value secret. The data of a Kubernetes Secret is always secret.
 */
export function annotateSecrets(to: Props, from: Props): Props {
  if (to["kind"] === "Secret") return markSecretData(to);
  const entries = Object.entries(to).map(([key, value]) => {
    const source = from[key];
    if (source === undefined) return [key, value];
    if (isPlainObject(value) && isPlainObject(source)) return [key, annotateSecrets(value, source)];
    return [key, containsSecret(source) ? secret(value) : value];
  });
  return Object.fromEntries(entries) as Props;
}

function isPlainObject(value: Props[string] | undefined): value is Props {
  return isObject(value) && !isSecret(value);
}

function markSecretData(object: Props): Props {
  const entries = Object.entries(object).map(([key, value]) => [
    key,
    key === "data" || key === "stringData" ? secret(value) : value,
  ]);
  return Object.fromEntries(entries) as Props;
}

/** What a program's object says about Kubernetes, with no secret marks left. */
export function asObject(props: Props): Props {
  return plainProps(props);
}
