import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { differences } from "../../../../cli/doctor/compare.ts";

describe("what is set in an object", () => {
  const json = fc.jsonValue({ maxDepth: 4 });

  test("property: an object does not differ from itself", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(differences(value, structuredClone(value))).toEqual([]);
      }),
    );
  });

  test("property: what the cluster adds does not count", () => {
    const object = fc.dictionary(fc.constantFrom("a", "b", "c"), json);
    fc.assert(
      fc.property(object, json, (expected, added) => {
        expect(differences(expected, { ...expected, status: added })).toEqual([]);
      }),
    );
  });

  test.each<[string, unknown, unknown, string[]]>([
    ["another value", { a: { b: 1 } }, { a: { b: 2 } }, ["a.b"]],
    ["a missing field", { a: { b: 1 } }, { a: {} }, ["a.b"]],
    ["another type", { a: { b: 1 } }, { a: "b" }, ["a"]],
    ["a longer list", { a: [{ port: 1 }] }, { a: [{ port: 1 }, { port: 2 }] }, ["a"]],
    [
      "a field of a named item",
      { a: [{ name: "x", v: 1 }] },
      { a: [{ name: "x", v: 2 }] },
      ["a[x].v"],
    ],
    ["a named item that is gone", { a: [{ name: "x" }] }, { a: [{ name: "y" }] }, ["a[x]"]],
    ["a flag's value", { args: ["--a=1", "--b=2"] }, { args: ["--a=1", "--b=3"] }, ["args[--b]"]],
    ["a new flag", { args: ["--a=1"] }, { args: ["--a=1", "--c"] }, ["args[--c]"]],
    ["a flag that is gone", { args: ["serve", "--a=1"] }, { args: ["serve"] }, ["args[--a]"]],
    ["words in another order", { args: ["--a", "1"] }, { args: ["1", "--a"] }, ["args"]],
    [
      "another quantity",
      { requests: { cpu: "10m" } },
      { requests: { cpu: "20m" } },
      ["requests.cpu"],
    ],
  ])("%s is a difference", (_, expected, live, paths) => {
    expect(differences(expected, live).map(({ path }) => path)).toEqual(paths);
  });

  test.each<[string, unknown, unknown]>([
    ["a zero value that the server drops", { a: false, b: "", c: [], d: {} }, {}],
    ["null, which means not given", { a: null }, { a: 1 }],
    [
      "a quantity in another unit",
      { r: { requests: { memory: "1024Mi" } } },
      { r: { requests: { memory: "1Gi" } } },
    ],
    ["a number as text", { targetPort: 8080 }, { targetPort: "8080" }],
    [
      "more named items",
      { env: [{ name: "A", value: "1" }] },
      { env: [{ name: "B" }, { name: "A", value: "1" }] },
    ],
  ])("%s is none", (_, expected, live) => {
    expect(differences(expected, live)).toEqual([]);
  });
});
