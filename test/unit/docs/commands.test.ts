import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  commandBlocks,
  documents,
  fates,
  isOf,
  page,
  proseOf,
} from "../../support/commandBlocks.ts";

const blocks = commandBlocks();

test("each block of commands in the documents has one line in the table of their fates", () => {
  expect(blocks.length).toBeGreaterThan(10);
  for (const block of blocks)
    expect(
      fates.filter((fate) => isOf(fate, block)).length,
      `${block.file}: ${block.text.split("\n")[0]}`,
    ).toBe(1);
});

test("the documents show no commands outside of such blocks", () => {
  const indented = /^ {4}(npm|pulumi|anchorhold|kubectl) (?!backup 1$)/m;
  for (const file of documents()) expect(page(file), file).not.toMatch(indented);
});

describe.each(fates)("$file: $begins", (fate) => {
  test("is there, and is run, or says why not", () => {
    expect(blocks.filter((block) => isOf(fate, block))).toHaveLength(1);
    const { run, elsewhere = [], why } = fate;
    for (const file of run === undefined ? elsewhere : [run])
      expect(existsSync(new URL(`../../../${file}`, import.meta.url)), file).toBe(true);
    if (why === undefined) expect(run ?? elsewhere[0]).toBeDefined();
    else expect(proseOf(fate.file)).toContain(why);
  });
});
