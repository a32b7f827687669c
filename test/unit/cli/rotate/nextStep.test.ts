import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CannotRun } from "../../../../cli/errors.ts";
import { nextStep } from "../../../../cli/rotate/nextStep.ts";
import { distrust, stepBack } from "../../../../cli/rotate/otherSteps.ts";
import { rotatable, type Edit, type Step } from "../../../../cli/rotate/standing.ts";
import { kinds } from "../../../../infra/trust/generations.ts";
import { World, type Reached } from "./world.ts";

const hour = 3_600_000;
const leadTimes = fc.constantFrom(0, 5 * 60_000, 24 * hour);
const rotating = fc.constantFrom(...rotatable);

/** What a person may do: wait, take the next step, go back, or distrust a generation. */
type Act =
  | { do: "wait"; ms: number }
  | { do: "next"; killed: Reached }
  | { do: "back" }
  | { do: "distrust"; number: number; ago: number };

const acts = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 30 * hour }) }),
    fc.record({
      do: fc.constant("next" as const),
      killed: fc.constantFrom<Reached>("finished", "finished", "made", "published"),
    }),
    fc.record({ do: fc.constant("back" as const) }),
    fc.record({
      do: fc.constant("distrust" as const),
      number: fc.integer({ min: 1, max: 4 }),
      ago: fc.oneof(fc.constantFrom(0, 300_000), fc.integer({ min: -hour, max: 90 * hour })),
    }),
  ),
  { minLength: 10, maxLength: 60 },
);

/** Does what the step says, and holds it against `decide`. */
function follow(world: World, step: Step, reached: Reached): void {
  if (step.do === "wait") {
    expect(world.refusal(step.edit, step.until.getTime() - 1)).toContain("from");
    expect(world.refusal(step.edit, step.until.getTime())).toBeUndefined();
    return;
  }
  if (step.do === "edit") {
    expect(world.refusal(step.edit)).toBeUndefined();
    world.apply(step.edit);
  }
  world.update(reached);
}

/** The same step, or undefined when there is none. */
function ifAny(step: () => Step): Step | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof CannotRun) return undefined;
    throw error;
  }
}

function act(world: World, wish: Act): string {
  if (wish.do === "wait") {
    world.now += wish.ms;
    return "waited";
  }
  if (wish.do === "next") {
    const step = nextStep(world.standing);
    follow(world, step, wish.killed);
    return step.do;
  }
  const isSettled = nextStep(world.standing).do !== "finish";
  if (wish.do === "back") {
    const step = ifAny(() => stepBack(world.standing));
    if (step === undefined) {
      if (isSettled) expect(waysBack(world)).toEqual([]);
      return "no way back";
    }
    follow(world, step, "finished");
    return "went back";
  }
  const from = new Date(world.now - wish.ago);
  const step = ifAny(() => distrust(world.standing, wish.number, from));
  if (step === undefined) {
    const edit: Edit = { [wish.number]: { distrusted: from.toISOString() } };
    const already = world.standing.configured[wish.number]?.state === "distrusted";
    if (isSettled && !already) expect(world.refusal(edit)).toBeDefined();
    return "not distrusted";
  }
  follow(world, step, "finished");
  return "distrusted";
}

/** Earlier generations that `decide` would let the producer use again. */
function waysBack(world: World): string[] {
  const { configured, life } = world.standing;
  return Object.keys(configured).filter((number) => {
    if (Number(number) >= life.issues) return false;
    const newer = Object.entries(configured).filter(
      ([other, { state }]) => Number(other) > Number(number) && state !== "distrusted",
    );
    const edit = Object.fromEntries(newer.map(([other]) => [other, "announced" as const]));
    return world.refusal({ ...edit, [number]: "active" }) === undefined;
  });
}

describe("what rotate proposes", () => {
  test("is never refused by decide, and refused any earlier, whatever happened before", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(rotating, leadTimes, acts, (kind, leadTime, wishes) => {
        const world = new World(kind, leadTime);
        for (const wish of wishes) {
          const what = act(world, wish);
          seen.set(what, (seen.get(what) ?? 0) + 1);
        }
      }),
      { numRuns: 300 },
    );
    const all = ["waited", "edit", "wait", "finish", "went back", "no way back"];
    expect([...seen.keys()].sort()).toEqual([...all, "distrusted", "not distrusted"].sort());
  });

  test("brings a generation through its whole life and makes the next", () => {
    const world = new World("fulcioCa", 24 * hour);
    const told: string[] = [];
    for (let turn = 0; turn < 8; turn++) {
      const step = nextStep(world.standing);
      told.push(`${step.do} ${step.what.split(":")[0]}`);
      follow(world, step, "finished");
      if (step.do === "wait") world.now = step.until.getTime();
    }
    expect(told).toEqual([
      "edit announce 2",
      "wait activate 2",
      "edit activate 2",
      "wait close 1",
      "edit close 1",
      "edit retire 1",
      "edit announce 3",
      "wait activate 3",
    ]);
    expect(world.lines).toEqual({ "1": "retired", "2": "active", "3": "announced" });
  });

  test("is for the kinds whose second generation decide does not refuse", () => {
    const possible = kinds.filter(
      (kind) => new World(kind, 0).refusal({ "2": "announced" }) === undefined,
    );
    expect(possible).toEqual([...rotatable]);
  });
});

/** A world in which generation 2 is in use and 1 still draining. */
function rotated(): World {
  const world = new World("fulcioCa", hour);
  for (let turn = 0; turn < 2; turn++) {
    world.now += hour;
    follow(world, nextStep(world.standing), "finished");
  }
  expect(world.lines).toEqual({ "1": "draining", "2": "active" });
  return world;
}

describe("steps aside", () => {
  test("back and forth again, the second time without waiting", () => {
    const world = rotated();
    follow(world, stepBack(world.standing), "finished");
    expect(world.lines).toEqual({ "1": "active", "2": "announced" });
    expect(nextStep(world.standing)).toMatchObject({ do: "edit", edit: { "2": "active" } });
  });

  test("a bad new generation: back, then distrusted, then a third one", () => {
    const world = rotated();
    const early = () => distrust(world.standing, 2, new Date(world.now));
    expect(early).toThrow(/Generation 2 is in use/);
    follow(world, stepBack(world.standing), "finished");
    follow(world, distrust(world.standing, 2, new Date(world.now - hour)), "finished");
    expect(nextStep(world.standing)).toMatchObject({ edit: { "3": "announced" } });
  });

  test.each([
    [9, 0, /no such generation/],
    [1, -hour, /between the start of generation 1, .* and now/],
    [1, 9000 * hour, /between the start/],
    [1, Number.NaN, /between the start/],
  ])("distrusting %s from %s ms ago on is refused", (number, ago, why) => {
    const world = rotated();
    expect(() => distrust(world.standing, number, new Date(world.now - ago))).toThrow(why);
  });

  test("wait until an unfinished edit is finished", () => {
    const world = rotated();
    world.apply({ "1": "closed" });
    expect(() => stepBack(world.standing)).toThrow(/^First deploy .* 1 closed\. anchorhold rotate/);
  });
});

describe("a stack file that lost lines", () => {
  test("gets back what is deployed before anything else", () => {
    const world = rotated();
    world.lines = { "1": "active" };
    const step = nextStep(world.standing);
    expect(step).toMatchObject({ do: "edit", edit: { "1": "draining", "2": "active" } });
    expect(step.what).toContain("lacks generation 2");
  });

  test("distrust is written back with its time", () => {
    const world = rotated();
    const from = new Date(world.now - 1500);
    follow(world, distrust(world.standing, 1, from), "finished");
    const { lines } = world;
    world.lines = { "1": "active" };
    const step = nextStep(world.standing);
    if (step.do !== "edit") throw new Error(`expected an edit, not ${step.do}`);
    expect(step.edit).toEqual(lines);
  });
});
