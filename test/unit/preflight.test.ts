import { describe, expect, test } from "vitest";
import { assertGrown, assertSameStack, lastCheckpoints } from "../../infra/preflight/stack.ts";
import { memoryOf } from "../../infra/trust/memory.ts";

const now = new Date("2026-06-01T00:00:00Z");
const rootHash = (digit: string) => digit.repeat(64);
const publication = (version: number) => ({
  version,
  revision: rootHash("a"),
  signed: "2026-05-01T00:00:00Z",
  expires: "2036-05-01T00:00:00Z",
  documents: [],
  targets: "{}",
  snapshot: "{}",
});
const memory = memoryOf({
  cluster: { uid: "one" },
  "tuf-publication-1": publication(1),
  "tuf-publication-2": publication(2),
});
const last = (snapshotVersion: number) => ({
  last: JSON.stringify({ version: 1_780_000_000, snapshotVersion, signed: "2026-05-31T00:00:00Z" }),
});
const check = (
  view: { uid: string; timestamp?: Record<string, string> },
  at = now,
  known = memory,
) => assertSameStack(known, { timestamp: undefined, ...view }, at);

describe("before anything is registered", () => {
  test("the state's own cluster, serving what the state knows, is fine", () => {
    expect(() => check({ uid: "one" })).not.toThrow();
    expect(() => check({ uid: "one", timestamp: {} })).not.toThrow();
    for (const version of [1, 2])
      expect(() => check({ uid: "one", timestamp: last(version) })).not.toThrow();
    expect(() => check({ uid: "any" }, now, memoryOf({}))).not.toThrow();
  });

  test("another cluster is refused", () => {
    expect(() => check({ uid: "two" })).toThrow(/lives in the cluster .* uid one, .* leads to two/);
  });

  test("an old state is refused: the mirror is ahead of it", () => {
    expect(() => check({ uid: "one", timestamp: last(3) })).toThrow(
      /serves version 3 .* this state knows 2 at most: it is an old backup/,
    );
  });

  test("a new state on a cluster that serves already is refused", () => {
    expect(() => check({ uid: "one", timestamp: last(1) }, now, memoryOf({}))).toThrow(
      /knows none/,
    );
  });

  test("a clock that is behind the last signature is refused", () => {
    expect(() => check({ uid: "one" }, new Date("2026-04-30T23:59:59Z"))).toThrow(/set the clock/);
  });

  test("all reasons come at once", () => {
    const early = new Date("2026-04-01T00:00:00Z");
    expect(() => check({ uid: "two", timestamp: last(3) }, early)).toThrow(
      /^This update is refused; nothing was changed:\n {2}- .*two[^]*version 3[^]*clock/,
    );
  });
});

describe("the logs' checkpoints", () => {
  const seen = (size: number) => ({ "rekor-1": { size, rootHash: rootHash("b") } });
  const observed = (at: string, checkpoints: object) => ({ at, checkpoints });

  test("the newest recorded one of each log counts", () => {
    const known = memoryOf({
      "fulcio-ca-1-published": observed("2026-05-01T00:00:00Z", {
        ...seen(3),
        "ctlog-1": { size: 1, rootHash: rootHash("c") },
      }),
      "fulcio-ca-switch-1": { ...observed("2026-05-01T00:01:00Z", seen(9)), generation: 1 },
      "fulcio-ca-2-published": observed("2026-05-01T00:00:30Z", seen(5)),
    });
    expect(lastCheckpoints(known)).toEqual({
      "rekor-1": { size: 9, rootHash: rootHash("b") },
      "ctlog-1": { size: 1, rootHash: rootHash("c") },
    });
  });

  test("a log that forgot entries is refused, one that does not answer is not", () => {
    const state = (size: number) => ({ size, rootHash: rootHash("d") });
    expect(() =>
      assertGrown([
        { name: "rekor-1", result: "grown" },
        { name: "ctlog-1", result: "unknown", reason: "no replica is ready" },
      ]),
    ).not.toThrow();
    expect(() =>
      assertGrown([{ name: "rekor-1", result: "forked", seen: state(4), recorded: state(9) }]),
    ).toThrow(/rekor-1 has 4 entries .* does not continue the recorded 9/);
  });
});

describe("the state's records", () => {
  test("of a form that this version does not read are refused by name", () => {
    expect(() => memoryOf({ "fulcio-ca-1-public": { apiVersion: "anchorhold/v9" } })).toThrow(
      /record fulcio-ca-1-public .* not of a form that this version reads \(apiVersion/,
    );
  });

  test("that are not ours are left alone", () => {
    expect(memoryOf({ "somebody-elses": 1 })).toEqual(memoryOf({}));
  });
});
