import { isRecord } from "./kubernetes.ts";

/** A field that is not as it was set. */
export interface Difference {
  /** `spec.template.spec.containers[rekor-server].args[--rekor_server.signer]` */
  path: string;
  expected: unknown;
  live: unknown;
}

/**
 * What of `expected` the live value does not have. Fields that were never set belong to the cluster
 * and do not count, nor do other spellings of the same: zero values that the server drops,
 * quantities, numbers as text. Lists of named things may hold others besides: admission adds
 * volumes and containers.
 */
export function differences(expected: unknown, live: unknown, path = ""): Difference[] {
  if (expected === null || expected === undefined) return [];
  if (live === undefined && isZero(expected)) return [];
  if (isRecord(expected) && isRecord(live)) {
    return Object.entries(expected).flatMap(([key, value]) =>
      differences(value, live[key], path === "" ? key : `${path}.${key}`),
    );
  }
  if (Array.isArray(expected) && Array.isArray(live)) return listDifferences(expected, live, path);
  return sameScalar(expected, live, path) ? [] : [{ path, expected, live }];
}

function listDifferences(expected: unknown[], live: unknown[], path: string): Difference[] {
  if (expected.every(isNamed)) {
    const found = new Map(live.filter(isNamed).map((item) => [item.name, item]));
    return expected.flatMap((item) =>
      differences(item, found.get(item.name), `${path}[${item.name}]`),
    );
  }
  if (expected.every(isText) && live.every(isText)) return wordDifferences(expected, live, path);
  if (expected.length !== live.length) return [{ path, expected, live }];
  return expected.flatMap((item, index) => differences(item, live[index], `${path}[${index}]`));
}

/** Arguments one by one: `--flag=value` is known by its flag. */
function wordDifferences(expected: string[], live: string[], path: string): Difference[] {
  const keyOf = (word: string) => /^(--?[\w.-]+)=/.exec(word)?.[1] ?? word;
  const [wanted, seen] = [expected, live].map((words) => new Map(words.map((w) => [keyOf(w), w])));
  const keys = new Set([...wanted!.keys(), ...seen!.keys()]);
  const found = [...keys]
    .filter((key) => wanted!.get(key) !== seen!.get(key))
    .map((key) => ({ path: `${path}[${key}]`, expected: wanted!.get(key), live: seen!.get(key) }));
  const reordered = found.length === 0 && expected.join("\0") !== live.join("\0");
  return reordered ? [{ path, expected, live }] : found;
}

const isText = (value: unknown): value is string => typeof value === "string";

function isNamed(value: unknown): value is { name: string } {
  return isRecord(value) && isText(value["name"]);
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isRecord(value))
    return Object.values(value).every((inner) => inner === null || isZero(inner));
  return value === false || value === 0 || value === "";
}

function sameScalar(expected: unknown, live: unknown, path: string): boolean {
  if (expected === live) return true;
  if (!isScalar(expected) || !isScalar(live)) return false;
  if (String(expected) === String(live)) return true;
  return /\.(requests|limits)\.|\.sizeLimit$/.test(path) && sameQuantity(expected, live);
}

function isScalar(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

const suffixes: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/** The server writes quantities in one form: "1024Mi" becomes "1Gi". */
function sameQuantity(left: unknown, right: unknown): boolean {
  const [a, b] = [left, right].map((value) => {
    const [, number, suffix] = /^([\d.]+)([A-Za-z]*)$/.exec(String(value)) ?? [];
    return Number(number) * (suffixes[suffix ?? "?"] ?? NaN);
  });
  return Math.abs(a! - b!) <= Math.abs(a!) * 1e-9;
}
