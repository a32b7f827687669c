import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isConsistent, leafHash, nodeHash, rootOfProof } from "../../../infra/observe/merkle.ts";

/** The tree as RFC 6962, section 2.1, defines it: split at the largest power of two below n. */
function root(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) throw new Error("empty");
  if (leaves.length === 1) return first;
  const split = splitOf(leaves.length);
  return nodeHash(root(leaves.slice(0, split)), root(leaves.slice(split)));
}

/** PATH(m, D[n]) of RFC 6962, section 2.1.1. */
function path(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  return index < split
    ? [...path(index, leaves.slice(0, split)), root(leaves.slice(split))]
    : [...path(index - split, leaves.slice(split)), root(leaves.slice(0, split))];
}

const splitOf = (length: number) => 2 ** Math.floor(Math.log2(length - 1));
const hex = (text: string) => Buffer.from(text, "hex");

/** The eight entries that certificate-transparency implementations share as test data. */
const entries = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((text) => leafHash(hex(text)));

describe("known values", () => {
  test("the empty leaf", () => {
    expect(leafHash(Buffer.alloc(0)).toString("hex")).toBe(
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    );
  });

  test.each([
    [2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    [3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"],
    [4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    [5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"],
    [6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"],
    [7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"],
    [8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"],
  ])("every leaf of %i leads to the known root", (size, expected) => {
    const leaves = entries.slice(0, size);
    leaves.forEach((leaf, index) => {
      const proof = { index, size, path: path(index, leaves) };
      expect(rootOfProof(leaf, proof).toString("hex")).toBe(expected);
    });
  });
});

const tree = fc
  .tuple(fc.integer({ min: 1, max: 70 }), fc.nat())
  .map(([size, pick]) => ({ size, index: pick % size }));
const leavesOf = (size: number) =>
  Array.from({ length: size }, (_, index) => leafHash(Buffer.from(String(index))));

describe("properties", () => {
  test("the straightforward tree's proof leads to its root", () => {
    fc.assert(
      fc.property(tree, ({ size, index }) => {
        const leaves = leavesOf(size);
        const proof = { index, size, path: path(index, leaves) };
        expect(rootOfProof(leaves[index]!, proof)).toEqual(root(leaves));
      }),
    );
  });

  test("another leaf, another position or a changed path never leads there", () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat({ max: 255 }), ({ size, index }, pick, byte) => {
        const leaves = leavesOf(size);
        const good = { index, size, path: path(index, leaves) };
        const expected = root(leaves);
        const wrong = [
          () => rootOfProof(leafHash(Buffer.from("forged")), good),
          ...(size > 1
            ? [() => rootOfProof(leaves[index]!, { ...good, index: (index + 1) % size })]
            : []),
          () => rootOfProof(leaves[index]!, { ...good, path: [...good.path, expected] }),
          ...(good.path.length > 0
            ? [
                () => rootOfProof(leaves[index]!, { ...good, path: good.path.slice(1) }),
                () => rootOfProof(leaves[index]!, { ...good, path: flip(good.path, pick, byte) }),
              ]
            : []),
        ];
        for (const attempt of wrong) expect(result(attempt)).not.toEqual(expected);
      }),
    );
  });

  test("a position outside of the tree is refused", () => {
    for (const [index, size] of [
      [1, 1],
      [-1, 3],
      [0, 0],
      [0.5, 2],
    ] as const) {
      expect(() => rootOfProof(entries[0]!, { index, size, path: [] })).toThrow(/is not in a tree/);
    }
  });

  test("trees beyond 32 bits", () => {
    const index = 2 ** 40;
    const siblings = Array.from({ length: 41 }, (_, level) => leafHash(Buffer.of(level)));
    // The last leaf of 2^40 + 1 has one sibling: the root of the full tree to its left.
    const proof = { index, size: index + 1, path: siblings.slice(0, 1) };
    expect(rootOfProof(entries[0]!, proof)).toEqual(nodeHash(siblings[0]!, entries[0]!));
  });
});

function flip(hashes: readonly Buffer[], pick: number, byte: number): Buffer[] {
  const at = pick % hashes.length;
  return hashes.map((hash, index) => {
    if (index !== at) return hash;
    const changed = Buffer.from(hash);
    changed[byte % 32]! ^= 1;
    return changed;
  });
}

function result(attempt: () => Buffer): Buffer | undefined {
  try {
    return attempt();
  } catch {
    return undefined;
  }
}

/** SUBPROOF(m, D[n], b) of RFC 6962, section 2.1.2. */
function consistencyPath(first: number, leaves: readonly Buffer[], isWhole = true): Buffer[] {
  if (first === leaves.length) return isWhole ? [] : [root(leaves)];
  const split = splitOf(leaves.length);
  return first <= split
    ? [...consistencyPath(first, leaves.slice(0, split), isWhole), root(leaves.slice(split))]
    : [...consistencyPath(first - split, leaves.slice(split), false), root(leaves.slice(0, split))];
}

describe("consistency of two sizes of a log", () => {
  const sizes = fc
    .tuple(fc.integer({ min: 1, max: 70 }), fc.nat())
    .map(([second, pick]) => ({ second, first: (pick % second) + 1 }));
  const proofOf = ({ first, second }: { first: number; second: number }) => {
    const leaves = leavesOf(second);
    return {
      first: { size: first, root: root(leaves.slice(0, first)) },
      second: { size: second, root: root(leaves) },
      path: consistencyPath(first, leaves),
    };
  };

  test("is proven for a log that only grew", () => {
    fc.assert(
      fc.property(sizes, (pair) => {
        expect(isConsistent(proofOf(pair))).toBe(true);
      }),
    );
    const empty = { size: 0, root: Buffer.alloc(32) };
    expect(isConsistent({ ...proofOf({ first: 1, second: 5 }), first: empty })).toBe(true);
  });

  test("is not, when an entry was changed, taken away or the proof is another's", () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (pair, pick) => {
        const proof = proofOf(pair);
        const changed = leavesOf(pair.first);
        changed[pick % pair.first] = leafHash(Buffer.from("changed"));
        const other = { size: pair.first, root: root(changed) };
        expect(isConsistent({ ...proof, first: other })).toBe(false);
        expect(isConsistent({ ...proof, first: proof.second, second: proof.first })).toBe(
          pair.first === pair.second,
        );
        const longer = [...proof.path, leafHash(Buffer.from("more"))];
        expect(isConsistent({ ...proof, path: longer })).toBe(false);
        if (proof.path.length > 0)
          expect(isConsistent({ ...proof, path: proof.path.slice(1) })).toBe(false);
      }),
    );
  });
});
