import { expect, test } from "vitest";
import { nextLife } from "../../cluster/support/life.ts";

const issuers = (lines: Record<string, string>) =>
  nextLife(lines).steps.map(({ name, lines: now, issues }) => [name, now, issues]);

test("generation 2 after 1", () => {
  expect(issuers({ "1": "active" })).toEqual([
    ["announce", { "1": "active", "2": "announced" }, "1"],
    ["activate", { "1": "draining", "2": "active" }, "2"],
    ["step back", { "1": "active", "2": "announced" }, "1"],
    ["activate again", { "1": "draining", "2": "active" }, "2"],
    ["close", { "1": "closed", "2": "active" }, "2"],
    ["retire", { "1": "retired", "2": "active" }, "2"],
  ]);
});

test("older lines stay, and numbers are numbers", () => {
  const { next, steps } = nextLife({ "2": "retired", "9": "retired", "10": "active" });
  expect(next).toBe("11");
  expect(steps.at(-1)?.lines).toEqual({
    "2": "retired",
    "9": "retired",
    "10": "retired",
    "11": "active",
  });
});

test("a life that was left after its announcement goes on", () => {
  expect(nextLife({ "1": "active", "2": "announced" }).next).toBe("2");
});
