import { afterAll, describe, test } from "vitest";
import { CrashBench, type Subject } from "./crash.ts";
import { alwaysHolds, converged, holdsBetween } from "./invariants.ts";
import type { Moment } from "./moments.ts";
import { Pool } from "./pool.ts";

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
  const rest = Array.from({ length: workers - 1 }, () => CrashBench.create(subject));
  const pool = new Pool([bench, ...(await Promise.all(rest))]);
  afterAll(() => Promise.all(pool.all.map((each) => each.close())));

  describe(subject.name, () => {
    test("holds the invariants when it is left alone", ({ expect }) => {
      const { before, after } = undisturbed;
      expect(alwaysHolds(after).concat(holdsBetween(before, after))).toEqual([]);
      expect(after.signing).toEqual({ result: "signed" });
    });

    // Who waits for a turn would use up its own time.
    (workers === 1 ? test : test.concurrent).for(choose(undisturbed.moments))(
      "killed at: %s",
      (moment, { expect }) =>
        pool.use(async (each) => {
          const { left, repeated } = await each.kill(moment);
          const what = [
            ...[...alwaysHolds(left), ...holdsBetween(undisturbed.before, left)].map(
              (problem) => `left: ${problem}`,
            ),
            ...[...alwaysHolds(repeated), ...holdsBetween(left, repeated)].map(
              (problem) => `repeated: ${problem}`,
            ),
            ...converged(repeated, undisturbed.after),
          ];
          expect(what).toEqual([]);
        }),
    );
  });
}
