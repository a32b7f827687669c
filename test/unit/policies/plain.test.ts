import { expect, test } from "vitest";
import { plain, texts, unknown } from "../../../policies/plain.ts";
import { unknownCheckingProxy, unknownText } from "./support.ts";

test("what a preview does not know is marked wherever it lies, all else stays", () => {
  const props = { a: unknownText, b: [1, unknownText, { c: unknownText, d: true }], e: null };
  expect(plain(unknownCheckingProxy(props))).toEqual({
    a: unknown,
    b: [1, unknown, { c: unknown, d: true }],
    e: null,
  });
});

test("texts have their places", () => {
  expect(texts({ a: ["x", { b: "y" }], c: 1 }, "values")).toEqual([
    { place: "values.a[0]", text: "x" },
    { place: "values.a[1].b", text: "y" },
  ]);
});
