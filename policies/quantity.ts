import type { Plain } from "./plain.ts";

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * A Kubernetes quantity as a number of cores, bytes or pods (apimachinery, pkg/api/resource).
 * @returns NaN for what is none, or is not known yet
 */
export function quantity(value: Plain): number {
  if (typeof value === "number") return value;
  const [, digits, exponent, unit] =
    /^(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(
      typeof value === "string" ? value : "",
    ) ?? [];
  if (digits === undefined) return NaN;
  return Number(`${digits}${exponent ?? ""}`) * factors[unit ?? ""]!;
}
