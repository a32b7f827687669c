import fc from "fast-check";
import { expect, test } from "vitest";
import type { Operation } from "../../cluster/support/load/operation.ts";
import {
  longestGap,
  percentile,
  renderPhases,
  summarise,
} from "../../cluster/support/load/report.ts";

const names = {
  ca: new Map([
    ["aa", "1"],
    ["bb", "2"],
  ]),
  ctLog: new Map([["cc", "1"]]),
  rekor: new Map([["dd", "1"]]),
};

const operation = (change: Partial<Operation>): Operation => ({
  worker: "signer-1",
  client: "sigstore-js",
  kind: "sign",
  start: 0,
  end: 100,
  ok: true,
  ca: "aa",
  ctLog: "cc",
  rekor: "dd",
  ...change,
});

test("counts by kind and by the generations that made a signature", () => {
  const operations = [
    operation({ end: 100 }),
    operation({ end: 200, ca: "bb" }),
    operation({ end: 300, ca: "ee" }),
    operation({ end: 400, kind: "verify", bundle: "old", ca: "bb" }),
    operation({ start: 450, end: 500, ok: false, error: "no" }),
    operation({ end: 1_000 }),
  ];
  const report = summarise(operations, { from: 0, to: 1_000 }, names);
  expect(report.sign).toMatchObject({ ok: 3, failed: 1 });
  expect(report.verify).toMatchObject({ ok: 1, failed: 0 });
  expect(report.signaturesBy).toEqual({
    ca: { "1": 1, "2": 1, ee: 1 },
    ctLog: { "1": 3 },
    rekor: { "1": 3 },
  });
  expect(report.failures).toEqual(["00:00:00.500 signer-1 (sigstore-js, sign, 50 ms): no"]);
});

test("a gap counts in every span that it touches, in full", () => {
  const times = [100, 4_100, 4_200];
  expect(longestGap(times, { from: 0, to: 1_000 })).toBe(4_000);
  expect(longestGap(times, { from: 1_000, to: 2_000 })).toBe(4_000);
  expect(longestGap(times, { from: 4_100, to: 4_300 })).toBe(4_000);
  expect(longestGap(times, { from: 4_150, to: 4_300 })).toBe(100);
  expect(longestGap([], { from: 0, to: 700 })).toBe(700);
});

test("phases that meet lose no operation and count none twice", () => {
  const ends = fc.array(fc.integer({ min: 0, max: 9_999 }), { maxLength: 50 });
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 9_999 }), { maxLength: 5 });
  fc.assert(
    fc.property(ends, cuts, (all, inner) => {
      const operations = all.map((end) => operation({ end, ok: end % 3 > 0 }));
      const edges = [0, ...inner.sort((a, b) => a - b), 10_000];
      const phases = edges
        .slice(1)
        .map((to, index) => summarise(operations, { from: edges[index]!, to }, names));
      const sum = (pick: "ok" | "failed") =>
        phases.map(({ sign }) => sign[pick]).reduce((a, b) => a + b, 0);
      expect(sum("ok")).toBe(all.filter((end) => end % 3 > 0).length);
      expect(sum("failed")).toBe(all.filter((end) => end % 3 === 0).length);
    }),
  );
});

test("percentiles are values that were measured, by nearest rank", () => {
  expect(percentile([], 0.5)).toBe(0);
  expect(percentile([7], 0.95)).toBe(7);
  expect(percentile([1, 2, 3, 4], 0.5)).toBe(2);
  expect(percentile([1, 2, 3, 4], 0.95)).toBe(4);
});

test("phases become a Markdown table", () => {
  const phase = summarise([operation({ end: 100 })], { from: 0, to: 2_000 }, names);
  const [head, rule, row] = renderPhases([{ name: "idle", ...phase }]).split("\n");
  expect(head).toContain("| phase | s | signed | failed |");
  expect(rule).toMatch(/^\| --- \| ---: \|/);
  expect(row).toBe("| idle | 2.0 | 1 | 0 | 1.9 | 100 / 100 | 0 | 0 | 2.0 | 1: 1 | 1: 1 |");
});
