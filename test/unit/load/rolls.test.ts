import { expect, test } from "vitest";
import { RollTracker, type SeenPod } from "../../cluster/support/load/rolls.ts";

const pods = (deployment: string, ...revisions: string[]): SeenPod[] =>
  revisions.map((revision) => ({ deployment, revision }));

/** The tracker after looks that are 250 ms apart, each a list of pods. */
function track(...looks: SeenPod[][]): RollTracker {
  const tracker = new RollTracker();
  looks.forEach((look, index) => tracker.observe(look, index * 250));
  return tracker;
}

test("a roll lasts from the first new pod until the last old one is gone", () => {
  const tracker = track(
    pods("a", "old", "old"),
    pods("a", "old", "old", "new"),
    pods("a", "old", "new", "new"),
    pods("a", "new", "new"),
    pods("a", "new", "new"),
  );
  expect(tracker.rolls).toEqual([{ deployment: "a", from: 250, to: 750 }]);
  expect(tracker.open).toEqual([]);
});

test("a pod that is replaced by one of the same revision is no roll", () => {
  const tracker = track(pods("a", "x"), [], pods("a", "x"), pods("a", "x", "x"), pods("a", "x"));
  expect(tracker.rolls).toEqual([]);
});

test("rolls of several Deployments, one after the other and at once", () => {
  const tracker = track(
    [...pods("a", "1"), ...pods("b", "1")],
    [...pods("a", "1", "2"), ...pods("b", "1")],
    [...pods("a", "1", "2"), ...pods("b", "1", "2")],
    [...pods("a", "2"), ...pods("b", "1", "2")],
    [...pods("a", "2", "3"), ...pods("b", "2")],
  );
  expect(tracker.rolls).toEqual([
    { deployment: "a", from: 250, to: 750 },
    { deployment: "b", from: 500, to: 1_000 },
  ]);
  expect(tracker.open).toEqual(["a"]);
});

test("a third revision in the midst of a roll makes it longer", () => {
  const tracker = track(pods("a", "1"), pods("a", "1", "2"), pods("a", "2", "3"), pods("a", "3"));
  expect(tracker.rolls).toEqual([{ deployment: "a", from: 250, to: 750 }]);
});

test("old pods that go before the new ones come: from the last look at the old", () => {
  const tracker = track(pods("a", "1"), pods("a", "1"), [], [], pods("a", "2"));
  expect(tracker.rolls).toEqual([{ deployment: "a", from: 250, to: 1_000 }]);
});

test("a Deployment that was not there before is no roll", () => {
  expect(track([], pods("a", "1"), pods("a", "1")).rolls).toEqual([]);
});
