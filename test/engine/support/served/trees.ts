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

  /** The Merkle tree hash (RFC 6962, section 2.1). */
  rootHash(treeId: string): Buffer {
    const leaves = Array.from({ length: this.size(treeId) }, (_, n) =>
      leafHash(Buffer.from(`${treeId}/${n}`)),
    );
    return treeHash(leaves);
  }
}

function treeHash(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return createHash("sha256").digest();
  if (leaves.length === 1) return first;
  const split = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return nodeHash(treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}
