import type { Change } from "../diff.ts";
import { changes } from "../diff.ts";
import { equal, isObject, type Props, type Value } from "../values.ts";

/**
 * What has to change in a live object so that it is as the program says. Fields that the program
 * never set belong to the cluster and do not count.
 */
export function liveChanges(live: Props, oldInputs: Props, newInputs: Props): Change[] {
  const pruned = prune(live, oldInputs) as Props;
  return changes(pruned, newInputs).filter((change) => !isSpelling(change, oldInputs));
}

/** The part of `live` that has the shape of `shape`. */
export function prune(live: Value, shape: Value): Value {
  if (isObject(live) && isObject(shape)) {
    const keys = Object.keys(live).filter((key) => key in shape);
    return Object.fromEntries(
      keys.map((key) => [key, prune(live[key] ?? null, shape[key] ?? null)]),
    );
  }
  if (Array.isArray(live) && Array.isArray(shape)) {
    return live.map((item, i) => (i < shape.length ? prune(item, shape[i] ?? null) : item));
  }
  return live;
}

/**
 * The inputs as the cluster has them now: the live object in their shape, and what they set to a
 * zero value, which the server drops.
 */
export function liveInputs(live: Value, inputs: Value): Value {
  if (isObject(live) && isObject(inputs)) {
    const kept = Object.entries(inputs).filter(([key, value]) => key in live || isZero(value));
    return Object.fromEntries(
      kept.map(([key, value]) => [key, key in live ? liveInputs(live[key] ?? null, value) : value]),
    );
  }
  if (Array.isArray(live) && Array.isArray(inputs)) {
    return live.map((item, i) => (i < inputs.length ? liveInputs(item, inputs[i] ?? null) : item));
  }
  return live;
}

/**
 * Whether the server merely writes the same thing otherwise: it drops what equals a zero value and
 * writes quantities in one form ("1024Mi" becomes "1Gi"). Only where the program says what it said
 * before, or where both are quantities of one size.
 */
function isSpelling({ path, kind, old, new: now }: Change, oldInputs: Props): boolean {
  if (kind === "UPDATE") return isQuantityPath(path) && sameQuantity(old, now);
  return kind === "ADD" && isZero(now) && equal(valueAt(oldInputs, path), now);
}

function valueAt(value: Value | undefined, path: Change["path"]): Value | undefined {
  return path.reduce<Value | undefined>((here, step) => {
    if (Array.isArray(here)) return here[Number(step)];
    return isObject(here) ? here[step] : undefined;
  }, value);
}

function isZero(value: Value | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0;
  return value === false || value === 0 || value === "";
}

const QUANTITY_PARENTS: ReadonlySet<string | number> = new Set([
  ...["requests", "limits", "capacity", "hard", "default", "defaultRequest", "max", "min"],
]);

function isQuantityPath(path: Change["path"]): boolean {
  return QUANTITY_PARENTS.has(path.at(-2) ?? "") || path.at(-1) === "sizeLimit";
}

const SUFFIX: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 },
};

function quantity(value: Value | undefined): number | undefined {
  const text = typeof value === "number" ? String(value) : value;
  const match =
    typeof text === "string" ? /^([+-]?[0-9.]+(?:e[+-]?\d+)?)([a-zA-Z]*)$/.exec(text) : null;
  const factor = SUFFIX[match?.[2] ?? "-"];
  return match === null || factor === undefined ? undefined : Number(match[1]) * factor;
}

function sameQuantity(left: Value | undefined, right: Value | undefined): boolean {
  const [a, b] = [quantity(left), quantity(right)];
  return a !== undefined && b !== undefined && Math.abs(a - b) <= Math.abs(a) * 1e-12;
}
