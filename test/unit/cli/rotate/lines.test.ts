import { readFileSync } from "node:fs";
import fc from "fast-check";
import * as YAML from "yaml";
import { describe, expect, test } from "vitest";
import { lineDiff } from "../../../../cli/rotate/lineDiff.ts";
import { editLines } from "../../../../cli/rotate/lines.ts";
import type { Edit } from "../../../../cli/rotate/standing.ts";

const file = (lines: string) =>
  `# why\nconfig:\n  anchorhold:trust: # all\n${lines}\n  other: 1 #end\n`;
const announce: Edit = { "2": "announced" };
const activate: Edit = { "1": "draining", "2": "active" };

describe("an edit of the stack file", () => {
  test.each<[string, string, Edit, string]>([
    [
      "short",
      `    fulcioCa: { "1": active }  # a`,
      announce,
      `    fulcioCa: { "1": active, "2": announced }  # a`,
    ],
    [
      "tight",
      `    fulcioCa: {'1': active}`,
      announce,
      `    fulcioCa: {'1': active, '2': announced}`,
    ],
    [
      "spaced by hand",
      `    fulcioCa: { "1": active,   "2": announced }`,
      activate,
      `    fulcioCa: { "1": draining,   "2": active }`,
    ],
    [
      "lines of their own",
      `    fulcioCa:\n      "1": active # the first\n\n      # more to come`,
      announce,
      `    fulcioCa:\n      "1": active # the first\n      "2": announced\n\n      # more to come`,
    ],
    [
      "the long form",
      `    fulcioCa:\n      "1": { state: active, source: generated }\n      "2":\n        source: generated # ours\n        state: announced # new`,
      activate,
      `    fulcioCa:\n      "1": { state: draining, source: generated }\n      "2":\n        source: generated # ours\n        state: active # new`,
    ],
    [
      "a new one after the long form",
      `    fulcioCa:\n      "1":\n        state: active # now\n    ctLog: {}`,
      announce,
      `    fulcioCa:\n      "1":\n        state: active # now\n      "2": announced\n    ctLog: {}`,
    ],
    [
      "numbers as keys",
      `    fulcioCa: { 1: active }`,
      announce,
      `    fulcioCa: { 1: active, 2: announced }`,
    ],
    [
      "over several lines",
      `    fulcioCa: {\n      "1": active, # one\n    }`,
      announce,
      `    fulcioCa: {\n      "1": active, "2": announced, # one\n    }`,
    ],
    [
      "a theft",
      `    fulcioCa: { "1": draining, "2": active }`,
      { "1": { distrusted: "2026-05-01T00:00:00Z" } },
      `    fulcioCa: { "1": { distrusted: "2026-05-01T00:00:00Z" }, "2": active }`,
    ],
    [
      "a theft in the long form",
      `    fulcioCa: { "1": {state: closed, source: generated}, "2": active }`,
      { "1": { distrusted: "2026-05-01T00:00:00Z" } },
      `    fulcioCa: { "1": {state: { distrusted: "2026-05-01T00:00:00Z" }, source: generated}, "2": active }`,
    ],
  ])("%s", (_what, before, edit, after) => {
    expect(editLines(file(before), "fulcioCa", edit)).toBe(file(after));
    const windows = (text: string) => file(text).replaceAll("\n", "\r\n");
    expect(editLines(windows(before), "fulcioCa", edit)).toBe(windows(after));
  });

  test("at the end of a file without a last newline", () => {
    const text = 'config:\n  anchorhold:trust:\n    ctLog:\n      "1": active';
    expect(editLines(text, "ctLog", announce)).toBe(`${text}\n      "2": announced`);
  });

  test("of the shipped local stack changes one line", () => {
    const path = new URL("../../../../stacks/Pulumi.local.yaml", import.meta.url);
    const text = readFileSync(path, "utf8");
    const changed = lineDiff(text, editLines(text, "ctLog", announce), 0);
    expect(changed).toBe(
      '-     ctLog: { "1": active }\n+     ctLog: { "1": active, "2": announced }',
    );
  });

  test.each([
    ["is no YAML", "config: {"],
    ["lacks the kind", file('    ctLog: { "1": active }')],
    ["shares the lines of two kinds", file('    fulcioCa: &a { "1": active }\n    ctLog: *a')],
    ["has no generation", file("    fulcioCa: {}")],
    ["is empty", ""],
  ])("is left to the user where the file %s", (_what, text) => {
    expect(() => editLines(text, "fulcioCa", announce)).toThrow(/by hand "2": announced and run/);
  });

  test("says the edit and nothing else, in any form", () => {
    const states = fc.constantFrom("active", "draining", "closed");
    const form = fc.record({
      state: states,
      isLong: fc.boolean(),
      note: fc.constantFrom("", " # é"),
    });
    fc.assert(
      fc.property(fc.array(form, { minLength: 1, maxLength: 4 }), fc.boolean(), (forms, isFlow) => {
        const pairs = forms.map(({ state, isLong }, index) =>
          isLong
            ? `"${index + 1}": { state: ${state}, source: generated }`
            : `"${index + 1}": ${state}`,
        );
        const block = pairs.map((pair, index) => `\n      ${pair}${forms[index]?.note}`).join("");
        const text = file(`    fulcioCa:${isFlow ? ` { ${pairs.join(", ")} }` : block}`);
        const next = String(forms.length + 1);
        const edited = editLines(text, "fulcioCa", { "1": "retired", [next]: "announced" });
        type Trust = { config: { "anchorhold:trust": { fulcioCa: Record<string, unknown> } } };
        const { fulcioCa } = (YAML.parse(edited) as Trust).config["anchorhold:trust"];
        expect(fulcioCa[next]).toBe("announced");
        const kept = edited
          .replace("retired", forms[0]!.state)
          .replace(/(, |\n {6})"\d": announced/, "");
        expect(kept).toBe(text);
      }),
    );
  });
});

test("a diff shows what is around a change, and changes that are apart", () => {
  const before = ["a", "b", "c", "d", "e", "f", "g", "h"].join("\n");
  const after = ["a", "b", "C", "d", "e", "f", "g", "h", "i"].join("\n");
  expect(lineDiff(before, after, 1)).toBe("  b\n- c\n+ C\n  d\n  h\n+ i");
  expect(lineDiff(before, before)).toBe("");
});
