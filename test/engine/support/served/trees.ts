import { createHash } from "node:crypto";
import { leafHash, nodeHash } from "../../../../infra/observe/merkle.ts";

/**
 * What the logs' servers ask of Trillian: which trees there are, and their heads. Entries are
 * counted, not kept: entry number n of a tree is the text "TREE/n".
 */
export class Trees {
  private readonly sizes = new Map<string, number>();
  private readonly known: (treeId: string) => boolean;

  /** @param known whether Trillian has made and initialised this tree */
  constructor(known: (treeId: string) => boolean = () => true) {
    this.known = known;
  }

  has(treeId: string): boolean {
    return this.known(treeId);
  }

  append(treeId: string): void {
    this.sizes.set(treeId, this.size(treeId) + 1);
  }

  size(treeId: string): number {
    return this.sizes.get(treeId) ?? 0;
  }

  /** As after a restore of an older dump. */
  forget(treeId: string, size: number): void {
    this.sizes.set(treeId, size);
  }

  /** The Merkle tree hash (RFC 6962, section 2.1). */
  rootHash(treeId: string): Buffer {
    return treeHash(leavesOf(treeId, this.size(treeId)));
  }

  /** PROOF(first, D[second]) of RFC 6962, section 2.1.2. */
  consistency(treeId: string, first: number, second: number): Buffer[] {
    return consistencyPath(first, leavesOf(treeId, second), true);
  }
}

function leavesOf(treeId: string, size: number): Buffer[] {
  return Array.from({ length: size }, (_, n) => leafHash(Buffer.from(`${treeId}/${n}`)));
}

function consistencyPath(first: number, leaves: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (first === leaves.length) return isWhole ? [] : [treeHash(leaves)];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return first <= split
    ? [...consistencyPath(first, left, isWhole), treeHash(right)]
    : [...consistencyPath(first - split, right, false), treeHash(left)];
}

const splitOf = (length: number) => 2 ** Math.ceil(Math.log2(length) - 1);

function treeHash(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return createHash("sha256").digest();
  if (leaves.length === 1) return first;
  const split = splitOf(leaves.length);
  return nodeHash(treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}
