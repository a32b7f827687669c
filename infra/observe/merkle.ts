import { createHash } from "node:crypto";

/** Hash of a leaf: SHA-256(0x00 ‖ entry), RFC 6962, section 2.1. */
export function leafHash(entry: Uint8Array): Buffer {
  return createHash("sha256").update(Uint8Array.of(0)).update(entry).digest();
}

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 6962, section 2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash("sha256").update(Uint8Array.of(1)).update(left).update(right).digest();
}

export interface InclusionProof {
  /** Position of the leaf, from 0. */
  index: number;
  /** Number of leaves of the tree that the proof is for. */
  size: number;
  /** Siblings from the leaf upwards. */
  path: readonly Uint8Array[];
}

/**
 * The root that an inclusion proof leads to, by the algorithm of RFC 9162, section 2.1.3.2 (it
 * says in words what RFC 6962 leaves to the reader). The caller compares it with a root that it
 * trusts. @throws {Error} when index, size and path do not belong together.
 */
export function rootOfProof(leaf: Uint8Array, { index, size, path }: InclusionProof): Buffer {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new Error(`leaf ${index} is not in a tree of ${size} leaves`);
  }
  // Arithmetic, not bit operators: those work on 32 bits only.
  let node = index;
  let last = size - 1;
  let hash: Buffer = Buffer.from(leaf);
  for (const sibling of path) {
    if (last === 0) throw new Error("the proof has more hashes than the tree has levels");
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      // A node without a right neighbour moves up unchanged until it is a right child itself.
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw new Error("the proof has fewer hashes than the tree has levels");
  return hash;
}

/** How a tree of `first` leaves became one of `second` leaves. */
export interface ConsistencyProof {
  first: { size: number; root: Uint8Array };
  second: { size: number; root: Uint8Array };
  path: readonly Uint8Array[];
}

/**
 * Whether the larger tree only adds to the smaller one (RFC 9162, section 2.1.4.2).
 * @returns false when it does not, or the proof proves something else
 */
export function isConsistent({ first, second, path }: ConsistencyProof): boolean {
  if (first.size > second.size) return false;
  if (first.size === 0) return true;
  const same = (a: Uint8Array, b: Uint8Array) => Buffer.from(a).equals(Buffer.from(b));
  if (first.size === second.size) return path.length === 0 && same(first.root, second.root);
  // A tree of 2^n leaves is itself the first node of the proof.
  const nodes = Number.isInteger(Math.log2(first.size)) ? [first.root, ...path] : [...path];
  const start = nodes.shift();
  if (start === undefined) return false;
  let node = first.size - 1;
  let last = second.size - 1;
  const up = () => {
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  };
  while (node % 2 === 1) up();
  let old: Buffer = Buffer.from(start);
  let current: Buffer = old;
  for (const sibling of nodes) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      old = nodeHash(sibling, old);
      current = nodeHash(sibling, current);
      while (node % 2 === 0 && node !== 0) up();
    } else {
      current = nodeHash(current, sibling);
    }
    up();
  }
  return last === 0 && same(old, first.root) && same(current, second.root);
}
