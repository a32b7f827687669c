import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../../infra/trust/decide.ts";
import { UserError } from "../../../infra/errors.ts";
import { kinds, lifeStates, sources, trustSchema } from "../../../infra/trust/generations.ts";
import type { Kind, TrustConfig } from "../../../infra/trust/generations.ts";
import { memoryOf, nothing, type Memory } from "../../../infra/trust/memory.ts";
import type { LogRecord } from "../../../infra/trust/records.ts";
import { logRecord, startOf } from "./fixture.ts";

type Input = Record<string, unknown>;

/** A configuration in which every kind is generation 1, but for the kinds given. */
function configured(changes: Partial<Record<Kind, Input>> = {}): Record<Kind, Input> {
  return {
    ...{ fulcioCa: { "1": "active" }, ctLog: { "1": "active" }, rekor: { "1": "active" } },
    ...{ tsa: { "1": "active" }, tufRoot: { "1": "active" }, tufOnline: { "1": "active" } },
    ...changes,
  };
}

/** `path: message` of every problem that the schema has with a configuration. */
function problemsOf(input: unknown): string[] {
  const result = trustSchema.safeParse(input);
  return (result.error?.issues ?? []).map((issue) => `${issue.path.join(".")}: ${issue.message}`);
}

function parse(changes: Partial<Record<Kind, Input>> = {}): TrustConfig {
  return trustSchema.parse(configured(changes));
}

/** The states of generations 1, 2, …: any number retired, closed and draining, one active … */
const orderedStates = fc
  .tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2))
  .map(([retired, closed, draining, announced]): string[] => [
    ...Array<string>(retired).fill("retired"),
    ...Array<string>(closed).fill("closed"),
    ...Array<string>(draining).fill("draining"),
    "active",
    ...Array<string>(announced).fill("announced"),
  ]);
const anyStates = fc.array(fc.constantFrom(...lifeStates), { maxLength: 6 });
const kind = fc.constantFrom(...kinds);

function numbered(states: readonly unknown[]): Input {
  return Object.fromEntries(states.map((state, index) => [String(index + 1), state]));
}

describe("the configuration's generations", () => {
  test("are accepted in any order of life", () => {
    fc.assert(
      fc.property(orderedStates, kind, (states, kind) => {
        expect(problemsOf(configured({ [kind]: numbered(states) }))).toEqual([]);
      }),
    );
  });

  test("may be distrusted anywhere but in the active one's place", () => {
    fc.assert(
      fc.property(orderedStates, fc.nat(), kind, (states, at, kind) => {
        const index = at % (states.length + 1);
        const stolen = { distrusted: "2026-05-01T00:00:00Z" };
        const map = numbered(states.toSpliced(index, 0, stolen as never));
        expect(problemsOf(configured({ [kind]: map }))).toEqual([]);
      }),
    );
  });

  test("are refused with a gap", () => {
    fc.assert(
      fc.property(orderedStates, fc.nat(), kind, (states, at, kind) => {
        const gap = (at % states.length) + 1;
        const shifted = Object.entries(numbered(states)).map(([number, state]) => [
          String(Number(number) >= gap ? Number(number) + 1 : number),
          state,
        ]);
        const problems = problemsOf(configured({ [kind]: Object.fromEntries(shifted) as Input }));
        expect(problems.join("\n")).toContain(`${kind}: generation ${gap} is missing`);
      }),
    );
  });

  test("are refused unless exactly one is active", () => {
    fc.assert(
      fc.property(anyStates, kind, (states, kind) => {
        const active = states.filter((state) => state === "active").length;
        const problems = problemsOf(configured({ [kind]: numbered(states) })).join("\n");
        if (active === 1) expect(problems).not.toContain("exactly one");
        else expect(problems).toContain(`${kind}: exactly one generation must be active`);
      }),
    );
  });

  test("are refused out of order", () => {
    fc.assert(
      fc.property(anyStates, (states) => {
        const ranks = states.map((state) => lifeStates.indexOf(state));
        const ordered = ranks.every((rank, index) => rank >= (ranks[index - 1] ?? 0));
        const problems = problemsOf(configured({ rekor: numbered(states) })).join("\n");
        expect(problems.includes("the order is")).toBe(!ordered);
      }),
    );
  });

  test("report every problem at once, each at its place", () => {
    const input = {
      ...configured({ fulcioCa: { "1": "active", "3": "active" }, tsa: { "1": "actve" } }),
      ...{ rekor: { one: "active" }, ctlog: {} },
    };
    expect(problemsOf(input)).toEqual([
      expect.stringMatching(/^fulcioCa: generation 2 is missing/),
      "fulcioCa: exactly one generation must be active; 1, 3 are",
      expect.stringMatching(/^rekor\.one: must be a generation number/),
      expect.stringMatching(/^tsa\.1: must be announced, active, draining, closed, retired, /),
      expect.stringMatching(/^: Unrecognized key: "ctlog"/),
    ]);
  });

  test("have a long form that names the source", () => {
    expect(parse({ tsa: { "1": { state: "active", source: "kms" } } }).tsa["1"]).toEqual({
      state: "active",
      source: "kms",
    });
    expect(parse({ tsa: { "1": { state: "active" } } }).tsa["1"]?.source).toBe("generated");
    const misspelt = { "1": { state: "active", sorce: "kms" } };
    expect(problemsOf(configured({ tsa: misspelt }))).toHaveLength(1);
  });
});

const now = new Date("2026-01-15T00:00:00Z");
const rekor1 = logRecord(1, "http://rekor-1.example.test");
const remembering = (...records: LogRecord[]): Memory =>
  memoryOf(
    Object.fromEntries(records.map((record) => [`rekor-${record.generation}-public`, record])),
  );
const recorded = remembering(rekor1);

const decideAt = (trust: TrustConfig, memory: Memory, at = now) =>
  decide({ trust, memory, now: at, leadTime: 90_000 });

describe("decide", () => {
  test("lets generation 1 of every kind exist, be accepted and issue", () => {
    const first = { exists: [1], accepts: [1], issues: 1, readOnly: [], keyless: [], ends: {} };
    for (const memory of [nothing, recorded])
      for (const kind of kinds) expect(decideAt(parse(), memory)[kind]).toMatchObject(first);
  });

  test("never lets issue what is not accepted", () => {
    const anyKind = fc
      .tuple(fc.oneof(orderedStates, anyStates), fc.constantFrom(...sources))
      .map(([states, source]) => numbered(states.map((state) => ({ state, source }))));
    const any = fc.record(Object.fromEntries(kinds.map((kind) => [kind, anyKind])));
    const often = fc.oneof(any, fc.constant(configured()), fc.constant(configured({ tsa: {} })));
    let planned = 0;
    fc.assert(
      fc.property(often, fc.boolean(), (input, remembers) => {
        const trust = trustSchema.safeParse(input);
        if (!trust.success) return;
        let plan;
        try {
          plan = decideAt(trust.data, remembers ? recorded : nothing);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          return;
        }
        planned += 1;
        for (const kind of kinds) expect(plan[kind].accepts).toContain(plan[kind].issues);
      }),
    );
    expect(planned).toBeGreaterThan(0);
  });

  test.each([
    [{ "1": "active", "2": "announced" }, /rekor: generation 2: not yet: this release runs gen/],
    [{ "1": "active", "2": "announced" }, /rekor: generation 2: not yet: a .* be announced/],
    [{ "1": "draining", "2": "active" }, /rekor: generation 1: not yet: a .* be draining/],
    [{ "1": { state: "active", source: "kms" } }, /generation 1: not yet: .* source kms/],
    [{ "1": { state: "active", source: "supplied" } }, /generation 1: not yet: .* supplied/],
  ])("refuses for now %j", (map, message) => {
    expect(() => decideAt(parse({ rekor: map }), nothing)).toThrow(message);
  });

  test("refuses to forget a generation that is recorded", () => {
    const memory = remembering(rekor1, logRecord(2, "http://rekor-2.example.test"));
    expect(() => decideAt(parse(), memory)).toThrow(
      /rekor: generation 2 is recorded in the stack's state but missing/,
    );
  });

  test("refuses another source than the recorded one", () => {
    expect(() => decideAt(parse(), remembering({ ...rekor1, source: "supplied" }))).toThrow(
      /recorded with source supplied/,
    );
  });

  test("refuses a clock that is behind a record, to the second", () => {
    const at = (time: number) => () => decideAt(parse(), recorded, new Date(time));
    expect(at(Date.parse(startOf(1)))).not.toThrow();
    expect(at(Date.parse(startOf(1)) - 1)).toThrow(/clock says 2026-01-01T03:04:04.999Z/);
  });

  test("says everything that is wrong in one error", () => {
    const trust = parse({ tsa: { "1": "active", "2": "announced" } });
    const early = new Date("2025-01-01T00:00:00Z");
    const message = /^This update is refused[^]*rekor: [^]*clock[^]*tsa: generation 2: not yet/;
    expect(() => decideAt(trust, recorded, early)).toThrow(message);
  });
});
