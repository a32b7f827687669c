import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { signSnapshot } from "../../../infra/trust/tuf/metadata.ts";
import { keyIdOf } from "../../../infra/trust/tuf/signature.ts";
import {
  isTimestampOf,
  readTimestamp,
  renewTimestamp,
  snapshotMeta,
  type LastSigning,
} from "../../../infra/trust/tuf/timestamp.ts";
import {
  renewState,
  timestampKey,
  type StateData,
} from "../../../infra/trust/tuf/timestampState.ts";
import { ecKeyPair } from "./fixture.ts";

const key = ecKeyPair();
const start = Date.parse("2026-01-01T00:00:00Z");
const day = 86_400;
const lifeSeconds = 7 * day;
const at = (seconds: number) => new Date(start + seconds * 1000);

const snapshots = new Map<number, string>();
/** The one snapshot.json of a version. */
function snapshot(version: number): string {
  const signed =
    snapshots.get(version) ??
    signSnapshot({
      version,
      expires: at(3650 * day),
      targets: { version, content: `targets ${version}` },
      signer: key,
    });
  snapshots.set(version, signed);
  return signed;
}

/** One run of the signer for a snapshot. */
function renew(data: StateData, version: number, seconds: number, signer = key) {
  const request = { data, snapshot: snapshot(version), key: signer, now: at(seconds), lifeSeconds };
  return renewState(request);
}

/** The data after a run that must sign. */
function signed(data: StateData, version: number, seconds: number, signer = key): StateData {
  const change = renew(data, version, seconds, signer);
  if (change.data === undefined) throw new Error(`did not sign: ${change.message}`);
  return change.data;
}

function fileOf(data: StateData, version: number) {
  const content = data[timestampKey(version)] ?? "";
  const read = readTimestamp(content);
  return read && { ...read, content };
}

describe("a renewed timestamp", () => {
  const meta = snapshotMeta(snapshot(3));

  test("names its snapshot, is signed, and ends after its life, in whole seconds", () => {
    const now = new Date(start + 500);
    const { content, last } = renewTimestamp({ snapshot: meta, key, now, lifeSeconds });
    expect(readTimestamp(content)).toEqual({
      version: start / 1000,
      expires: at(lifeSeconds),
      snapshot: meta,
    });
    expect(content).toContain('"expires":"2026-01-08T00:00:00Z"');
    expect(isTimestampOf(key.publicKeyPem, content)).toBe(true);
    expect(isTimestampOf(ecKeyPair().publicKeyPem, content)).toBe(false);
    expect(isTimestampOf(key.publicKeyPem, content.replace("2026", "2027"))).toBe(false);
    expect(last).toEqual({
      version: start / 1000,
      snapshotVersion: 3,
      signed: "2026-01-01T00:00:00Z",
    });
  });

  test("has a version above the last one's, and not below the time", () => {
    fc.assert(
      fc.property(fc.nat({ max: 4e9 }), fc.nat({ max: 1e9 }), (version, seconds) => {
        const last: LastSigning = { version, snapshotVersion: 1, signed: at(0).toISOString() };
        const renewed = renewTimestamp({
          last,
          snapshot: meta,
          key,
          now: at(seconds),
          lifeSeconds,
        });
        expect(renewed.last.version).toBe(Math.max(version + 1, start / 1000 + seconds));
      }),
      { numRuns: 20 },
    );
  });

  test("is refused for an older snapshot, whatever the clock says", () => {
    const last: LastSigning = { version: 9, snapshotVersion: 4, signed: at(0).toISOString() };
    expect(() => renewTimestamp({ last, snapshot: meta, key, now: at(1), lifeSeconds })).toThrow(
      "snapshot 3 is older than snapshot 4, which has been signed",
    );
  });

  test("is refused where the clock is more than a minute behind", () => {
    const last: LastSigning = { version: 9, snapshotVersion: 3, signed: at(100).toISOString() };
    const sign = (seconds: number) => () =>
      renewTimestamp({ last, snapshot: meta, key, now: at(seconds), lifeSeconds });
    expect(sign(40)().last.version).toBe(start / 1000 + 40);
    expect(sign(39)).toThrow(
      "the clock says 2026-01-01T00:00:39Z, but the last timestamp was signed at " +
        "2026-01-01T00:01:40.000Z. Set this node's clock.",
    );
  });

  test.each(["", "[]", '{"signed":{"_type":"targets","version":1}}'])("of %j: refused", (text) => {
    expect(() => snapshotMeta(text)).toThrow();
    expect(readTimestamp(text)).toBeUndefined();
    expect(isTimestampOf(key.publicKeyPem, text)).toBe(false);
  });
});

describe("the object with the signed timestamps", () => {
  test("keeps earlier timestamps until they expire: any of them may be served", () => {
    const first = signed({}, 1, 0);
    const second = signed(first, 2, day);
    const third = signed(second, 3, 6 * day);
    expect(Object.keys(third).sort()).toEqual([
      ...["last", "timestamp-1.json", "timestamp-2.json", "timestamp-3.json"],
    ]);
    expect(third["timestamp-1.json"]).toBe(first["timestamp-1.json"]);
    expect(Object.keys(signed(third, 3, 7 * day)).sort()).toEqual([
      ...["last", "timestamp-2.json", "timestamp-3.json"],
    ]);
  });

  test("says what was signed, with which key, and no private one", () => {
    const { message, data } = renew({}, 2, 5);
    const version = start / 1000 + 5;
    const keyId = keyIdOf(key.publicKeyPem);
    expect(message).toBe(`signed timestamp ${version} for snapshot 2 with key ${keyId}`);
    expect(data?.last).toBe(
      JSON.stringify({ version, snapshotVersion: 2, signed: "2026-01-01T00:00:05Z" }),
    );
    expect(JSON.stringify(data)).not.toContain("PRIVATE");
  });

  test("an older revision's signer has nothing to do while an update is on its way", () => {
    const data = signed(signed({}, 1, 0), 2, 60);
    expect(renew(data, 1, day)).toEqual({
      message: "the newer snapshot 2 has been signed; nothing to do for 1",
    });
  });

  test("both are renewed, in order, when the update does not end in half a life", () => {
    const data = signed(signed({}, 1, 0), 2, 60);
    const later = signed(data, 1, 4 * day);
    const [one, two] = [fileOf(later, 1), fileOf(later, 2)];
    expect(one?.version).toBe(start / 1000 + 4 * day);
    expect(two?.version).toBe(one!.version + 1);
    expect([one?.expires, two?.expires]).toEqual([at(11 * day), at(11 * day)]);
    expect(two?.snapshot).toEqual(snapshotMeta(snapshot(2)));
    expect(JSON.parse(later["last"]!)).toMatchObject({ snapshotVersion: 2, version: two?.version });
  });

  test("nothing is renewed that another key has signed, or that was taken away", () => {
    const data = signed(signed({}, 1, 0), 2, 60, ecKeyPair());
    expect(() => renew(data, 1, 4 * day)).toThrow(
      "an update has not finished, and timestamp-2.json was signed with another key: " +
        "it cannot be renewed here. Run `pulumi up` again.",
    );
    const entries = Object.entries(data).filter(([name]) => name !== "timestamp-2.json");
    const without = Object.fromEntries(entries);
    expect(() => renew(without, 1, 4 * day)).toThrow(/timestamp-2.json is missing/);
  });

  test("what is no timestamp of ours is dropped, and a broken memory is refused", () => {
    const foreign = { "timestamp-1.json": "{}", note: "hello", "timestamp-x.json": "" };
    expect(Object.keys(signed(foreign, 2, 0)).sort()).toEqual(["last", "timestamp-2.json"]);
    for (const last of ["", "null", "{}", '{"version":1,"snapshotVersion":1,"signed":"x"}']) {
      expect(() => renew({ last }, 1, 0)).toThrow(
        /Delete the object and run `pulumi up --refresh`/,
      );
    }
  });
});

/** A stack and its clients: what the Jobs, the schedule, the flip and accidents do to the object. */
class World {
  seconds = 0;
  data: StateData | undefined = {};
  newest = 1;
  served = 1;
  scheduled = 1;
  /** What a pod of a revision has: it keeps its file where the object has none for it. */
  readonly pods = new Map<number, string>();

  constructor() {
    this.job();
  }

  /** An update signs a new publication, or the same one again. */
  job(version = this.newest): void {
    if (this.data === undefined) return;
    this.newest = version;
    this.write(signed(this.data, version, this.seconds));
  }

  flip(): void {
    if (this.pods.has(this.newest)) this.served = this.newest;
  }

  schedule(): void {
    if (this.data === undefined) return;
    this.write(renew(this.data, this.scheduled, this.seconds).data ?? this.data);
  }

  private write(data: StateData): void {
    this.data = data;
    for (let version = 1; version <= this.newest; version++) {
      const content = data[timestampKey(version)];
      if (content !== undefined) this.pods.set(version, content);
    }
  }

  get seen() {
    return readTimestamp(this.pods.get(this.served)!)!;
  }
}

const steps = {
  publish: (world: World) => world.job(world.newest + 1),
  signAgain: (world: World) => world.job(),
  flip: (world: World) => world.flip(),
  pointSchedule: (world: World) => void (world.scheduled = world.served),
  schedule: (world: World) => world.schedule(),
  lose: (world: World) => void (world.data = undefined),
  // Made anew by `pulumi up --refresh`, which runs the Job again; the schedule may come first.
  restore: (world: World) => {
    if (world.data !== undefined) return;
    world.data = {};
    if (world.seconds % 2 === 0) world.schedule();
    world.job();
  },
};

describe("whatever happens, and in whatever order", () => {
  const step = fc.record({
    name: fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[])),
    // A minute at least, and now and then a clock that jumps ahead.
    wait: fc.oneof(fc.integer({ min: 60, max: 2 * day }), fc.integer({ min: 60, max: 30 * day })),
  });

  test("no client sees a timestamp or a snapshot go back", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (run) => {
        const world = new World();
        let before = world.seen;
        for (const { name, wait } of run) {
          world.seconds += wait;
          steps[name](world);
          const now = world.seen;
          expect(now.version).toBeGreaterThanOrEqual(before.version);
          expect(now.snapshot.version).toBeGreaterThanOrEqual(before.snapshot.version);
          before = now;
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ["before the flip", false],
    ["after the flip, before the schedule has moved", true],
  ])("an update that is killed %s leaves clients with good timestamps for ever", (_, flipped) => {
    const world = new World();
    for (let today = 0; today < 100; today++) {
      world.seconds = today * day + 60;
      if (today === 10) world.job(2);
      if (today === 10 && flipped) world.flip();
      world.schedule();
      expect(world.seen.expires > at(world.seconds + 2 * day)).toBe(true);
    }
    expect(world.seen.snapshot.version).toBe(flipped ? 2 : 1);
    const before = world.seen;
    world.flip();
    expect(world.seen.snapshot.version).toBe(2);
    expect(world.seen.version).toBeGreaterThanOrEqual(before.version);
    expect(world.seen.expires > at(world.seconds + 2 * day)).toBe(true);
  });
});
