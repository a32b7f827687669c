import { createHmac, randomBytes } from "node:crypto";

/** `prefix` and `length` random hex digits. */
export function randomName(prefix: string, length: number): string {
  return (
    prefix +
    randomBytes(Math.ceil(length / 2))
      .toString("hex")
      .slice(0, length)
  );
}

/**
 * `prefix` and 8 hex digits that follow from the engine's seed, so that a preview and the update
 * after it choose the same name. Without a seed the digits are random. The digits differ from those
 * that the official SDK draws from the same seed (its generator is Go's).
 */
export function seededName(prefix: string, seed: Uint8Array): string {
  if (seed.length === 0) return randomName(prefix, 8);
  return prefix + createHmac("sha256", seed).update(prefix).digest("hex").slice(0, 8);
}
