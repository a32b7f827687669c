import { afterAll, describe, test } from "vitest";
import { CrashBench, type Subject } from "./crash.ts";
import { alwaysHolds, converged, holdsBetween } from "./invariants.ts";
import type { Moment } from "./moments.ts";
import { Pool } from "./pool.ts";
import type { World } from "./world.ts";

/**
 * One test for each chosen moment of the subject: the update is killed there, recovered and
 * repeated, and all invariants are checked on what was left and on what came of it. Await it at
 * the top of a test file: the moments are learnt from an update that nobody disturbs.
 *
 * @param workers how many updates run side by side
 */
export async function crashTests(
  subject: Subject,
  { choose = (all: Moment[]) => all, workers = 2 } = {},
): Promise<void> {
  const bench = await CrashBench.create(subject);
  const undisturbed = await bench.undisturbed();
  const twins = Array.from({ length: workers - 1 }, () => bench.twin());
  const pool = new Pool([bench, ...(await Promise.all(twins))]);
  afterAll(() => Promise.all(pool.all.map((each) => each.close())));

  const between = (before: World, after: World) =>
    holdsBetween(before, after).filter((problem) => subject.intended?.test(problem) !== true);

  describe(subject.name, () => {
    test("holds the invariants when it is left alone", ({ expect }) => {
      const { before, after } = undisturbed;
      expect([...alwaysHolds(after), ...between(before, after)]).toEqual([]);
      expect(after.signing).toEqual({ result: "signed" });
    });

    // Who waits for a turn would use up its own time.
    (workers === 1 ? test : test.concurrent).for(choose(undisturbed.moments))(
      "killed at: %s",
      (moment, { expect }) =>
        pool.use(async (each) => {
          const { left, repeated } = await each.kill(moment);
          const problems = {
            left: [...alwaysHolds(left), ...between(undisturbed.before, left)],
            repeated: [...alwaysHolds(repeated), ...between(left, repeated)],
            converged: converged(repeated, undisturbed.after),
          };
          expect(problems).toEqual({ left: [], repeated: [], converged: [] });
        }),
    );
  });
}
