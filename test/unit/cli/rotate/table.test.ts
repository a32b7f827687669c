import { describe, expect, test } from "vitest";
import { nextStep } from "../../../../cli/rotate/nextStep.ts";
import { stepText, toTable } from "../../../../cli/rotate/table.ts";
import { inWords, localTime, zoneName } from "../../../../cli/rotate/time.ts";
import { World } from "./world.ts";

const [second, hour] = [1000, 3_600_000];

test.each([
  [-1, "0 s"],
  [1, "1 s"],
  [250 * second, "4 min 10 s"],
  [2 * hour, "2 h"],
  [26 * hour + 5 * second, "1 d 2 h"],
  [24 * hour + 59 * second, "1 d"],
])("%i ms are %s", (milliseconds, words) => expect(inWords(milliseconds)).toBe(words));

describe("the table of generations", () => {
  test("says of each where it stands, and when the next step is allowed", () => {
    const world = new World("ctLog", hour);
    const [first, second] = [world.now, world.now + 2 * hour];
    world.now = second;
    world.apply({ "2": "announced" });
    world.update();
    world.now += hour;
    const third = world.now;
    world.apply({ "1": "draining", "2": "active" });
    world.update();
    world.now += 59 * 60_000;
    const { standing } = world;
    const at = (time: number) => localTime(new Date(time));
    const ago = 600_000; // windows begin ten minutes before they are made
    expect(
      toTable(standing)
        .split("\n")
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ["generation", "state", "trusted from", "published", "used", "trusted until"],
      ["1", "draining", at(first - ago), at(first), `until ${at(third)}`, "no end"],
      ["2", "active", at(second - ago), at(second), `since ${at(third)}`, "no end"],
      [`(times in ${zoneName(standing.now)})`],
    ]);
    expect(stepText(nextStep(standing), standing.now)).toBe(
      "Next: close 1: its window ends soon after its last use\n" +
        `      allowed from ${at(third + hour)} ${zoneName(standing.now)} on, in 1 min`,
    );
  });
});
