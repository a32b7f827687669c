import { describe, expect, test } from "vitest";
import {
  announcementProblems,
  leadTimeFloor,
  leadTimeProblems,
} from "../../../policies/rules/leadTime.ts";
import { standInsLocal } from "../../../policies/rules/standIns.ts";
import { release, violations } from "./support.ts";

const day = 86_400;
const timestamp = { life: 7 * day, schedule: "17 3 * * *" };

describe("lead-time-floor", () => {
  test("a day or more, and no less than a timestamp lives", () => {
    expect(leadTimeProblems({ leadTime: 7 * day, timestamp }, day)).toEqual([]);
    expect(leadTimeProblems({ leadTime: 7 * day - 1, timestamp }, day)).toEqual([
      "anchorhold:leadTime is 604799 s, less than the 604800 s that a TUF timestamp lives",
    ]);
    expect(leadTimeProblems({ leadTime: 300, timestamp: { ...timestamp, life: 60 } }, day)).toEqual(
      ["anchorhold:leadTime is 300 s, less than the floor of 86400 s"],
    );
  });

  test("the local stack, and any resource but the stack itself, is left alone", async () => {
    const stack = { type: "pulumi:pulumi:Stack" };
    expect(await violations(leadTimeFloor, stack, { stack: "local" })).toEqual([]);
    expect(await violations(leadTimeFloor, release({}))).toEqual([]);
  });
});

describe("announced-before-active", () => {
  const one = { "1": { state: "active", source: "generated" } } as const;
  const trust = { ctLog: one, rekor: one, tsa: one, tufRoot: one, tufOnline: one };
  const second = {
    "1": { state: "draining", source: "generated" },
    "2": { state: "active", source: "generated" },
  } as const;
  const now = new Date("2026-03-03T00:00:00Z");
  const stash = (name: string, output: object) => ({
    type: "pulumi:index:Stash",
    name,
    stack: "production",
    props: { output: output as never },
    opts: { protect: true, ignoreChanges: [] },
  });
  const check = (fulcioCa: typeof one | typeof second, ...stashes: ReturnType<typeof stash>[]) =>
    announcementProblems(stashes, { trust: { ...trust, fulcioCa }, leadTime: day }, now);

  test("the first generation has nothing to wait for", () => {
    expect(check(one)).toEqual([]);
  });

  test("the second was published for the lead time before now", () => {
    expect(check(second, stash("fulcio-ca-2-published", { at: "2026-03-02T00:00:00Z" }))).toEqual(
      [],
    );
    expect(check(second, stash("fulcio-ca-2-published", { at: "2026-03-02T00:00:01Z" }))).toEqual([
      "fulcioCa 2 is active sooner than anchorhold:leadTime after it was published",
    ]);
  });

  test("or before it was first used", () => {
    const published = stash("fulcio-ca-2-published", { at: "2026-02-02T00:00:00Z" });
    const used = (at: string) => stash("fulcio-ca-switch-1", { at, generation: 2 });
    expect(check(second, published, used("2026-02-03T00:00:00Z"))).toEqual([]);
    expect(check(second, published, used("2026-02-02T12:00:00Z"))).toHaveLength(1);
  });

  test("never published, not known yet, or another's publication is refused", () => {
    const expected = ["fulcioCa 2 is active and was never seen published before"];
    const old = { at: "2026-01-01T00:00:00Z" };
    expect(check(second)).toEqual(expected);
    expect(check(second, stash("fulcio-ca-2-published", { at: "(known after)" }))).toEqual(
      expected,
    );
    for (const name of ["fulcio-ca-1-published", "ctlog-2-published", "fulcio-ca-22-published"])
      expect(check(second, stash(name, old))).toEqual(expected);
  });
});

test("stand-ins-local", async () => {
  const check = (chart: string, stack: string, config = {}) =>
    violations(standInsLocal, release({}, { chart }), { stack, config });
  expect(await check("./local/chart/scaffold", "local")).toEqual([]);
  expect(await check("./charts/scaffold", "production")).toEqual([]);
  expect(await check("scaffold", "production")).toEqual([]);
  for (const chart of ["./local/chart/scaffold", "local/chart/scaffold", "/x/local/chart/scaffold"])
    expect(await check(chart, "production")).toEqual(["Release one installs the stand-in chart"]);
  expect(await check("./local/chart/scaffold", "local", { local: [] })).toHaveLength(1);
});
