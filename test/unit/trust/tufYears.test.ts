// More than a year in the life of a TUF repository, by an injected clock: the real functions sign,
// a real client walks over HTTP.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { judgeTimestamp } from "../../../cli/verify/timestamp.ts";
import {
  signRoot,
  signSnapshot,
  signTargets,
  type TargetFile,
} from "../../../infra/trust/tuf/metadata.ts";
import { repositoryFiles, type PublishedVersion } from "../../../infra/trust/tuf/repository.ts";
import { readTimestamp } from "../../../infra/trust/tuf/timestamp.ts";
import {
  renewState,
  timestampKey,
  type StateData,
} from "../../../infra/trust/tuf/timestampState.ts";
import { ecKeyPair } from "./fixture.ts";
import { Client, Mirror } from "./mirror.ts";

const daySeconds = 86_400;
const start = Date.parse("2026-03-01T00:00:00Z");
const life = { publishedDays: 3650, timestampSeconds: 7 * daySeconds };

/** The time of day at which each actor comes, in hours. */
const hours = { schedule: 3.3, update: 9, clients: 12 };

/** Sets the one clock that signer, client and judgement share; timers and sockets keep theirs. */
function setClock(day: number, hour: number): Date {
  const now = new Date(start + (day * 24 + hour) * 3_600_000);
  vi.setSystemTime(now);
  return now;
}

/** A stack whose updates publish and whose cluster renews the timestamp. */
class Stack {
  readonly keys = {
    root: ecKeyPair(),
    targets: ecKeyPair(),
    snapshot: ecKeyPair(),
    timestamp: ecKeyPair(),
  };
  readonly firstRoot: string;
  readonly mirror: Mirror;
  private publications: PublishedVersion[] = [];
  private state: StateData = {};

  constructor(mirror: Mirror) {
    this.mirror = mirror;
    const { root, targets, snapshot, timestamp } = this.keys;
    this.firstRoot = signRoot({
      version: 1,
      expires: this.farOff(),
      root: { keys: [root.publicKeyPem], threshold: 1 },
      targets: [targets.publicKeyPem],
      snapshot: [snapshot.publicKeyPem],
      timestamp: [timestamp.publicKeyPem],
      signers: [root],
    });
  }

  /** What an update does: sign, have the timestamp signed, flip. */
  publish(files: TargetFile[]): void {
    const version = (this.publications.at(-1)?.version ?? 0) + 1;
    const common = { version, expires: this.farOff() };
    const targets = signTargets({ ...common, targets: files, signer: this.keys.targets });
    const named = { version, content: targets };
    const snapshot = signSnapshot({ ...common, targets: named, signer: this.keys.snapshot });
    this.publications.push({ version, targets, snapshot, targetFiles: files });
    this.renew();
  }

  /** What the CronJob does. */
  renew(): void {
    const { snapshot, version } = this.publications.at(-1)!;
    const request = { snapshot, key: this.keys.timestamp, lifeSeconds: life.timestampSeconds };
    const { data } = renewState({ ...request, data: this.state, now: new Date() });
    this.state = data ?? this.state;
    const publications = this.publications.slice(-2);
    this.mirror.files = {
      ...repositoryFiles({ roots: [this.firstRoot], publications }),
      "timestamp.json": this.state[timestampKey(version)]!,
    };
  }

  /** Kept timestamps: few, however long it goes on. */
  get kept(): number {
    return Object.keys(this.state).length - 1;
  }

  private farOff(): Date {
    return new Date(Date.now() + life.publishedDays * daySeconds * 1000);
  }
}

/** What `anchorhold verify` says of what is served now. */
function verdict(mirror: Mirror): string {
  const { expires } = readTimestamp(mirror.files["timestamp.json"]!)!;
  return judgeTimestamp(expires, new Date(), life.timestampSeconds).result;
}

describe("400 days", () => {
  const mirror = new Mirror();
  let stack: Stack;
  const clients: Client[] = [];
  const client = () => {
    const made = new Client(mirror, stack.firstRoot);
    clients.push(made);
    return made;
  };

  beforeAll(() => mirror.open());
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
    setClock(0, 0);
    stack = new Stack(mirror);
    stack.publish([{ name: "trusted_root.json", content: "publication of day 0" }]);
  });
  afterEach(() => {
    vi.useRealTimers();
    clients.splice(0).forEach((made) => made.dispose());
  });
  afterAll(() => mirror.close());

  test("a client with a warm cache and one from root 1 pass each week, without a warning", async () => {
    const warm = client();
    let published = "publication of day 0";
    let walks = 0;
    for (let day = 0; day <= 400; day++) {
      setClock(day, hours.schedule);
      stack.renew();
      if (day % 30 === 29) {
        setClock(day, hours.update);
        published = `publication of day ${day}`;
        stack.publish([{ name: "trusted_root.json", content: published }]);
      }
      setClock(day, hours.clients);
      expect(verdict(mirror)).toBe("ok");
      if (day % 7 !== 0 && day !== 200 && day !== 400) continue;
      expect(await warm.read("trusted_root.json")).toBe(published);
      expect(await client().read("trusted_root.json")).toBe(published);
      walks += 2;
    }
    expect(walks).toBe(2 * 60);
    expect(stack.kept).toBe(1);
    expect(mirror.files["13.snapshot.json"]).toBeDefined();
    expect(mirror.files["12.snapshot.json"]).toBeUndefined();
  });

  test("when the signer stops, warnings come days before the first client fails", async () => {
    const stops = 100;
    const warm = client();
    const firsts: Record<string, number> = {};
    const note = (event: string, day: number) => void (firsts[event] ??= day - stops);
    for (let day = stops - 10; day <= stops + 10; day++) {
      setClock(day, hours.schedule);
      if (day <= stops) stack.renew();
      setClock(day, hours.clients);
      note(verdict(mirror), day);
      for (const [who, one] of Object.entries({ warm, cold: client() })) {
        await one.read("trusted_root.json").catch((error: Error) => {
          note(`${who}: ${error.message}`, day);
        });
      }
    }
    // Days after the last renewal, which was on the morning of day 0.
    expect(firsts).toEqual({
      ok: -10,
      warn: 4,
      fail: 7,
      "warm: Unable to load snapshot metadata error Error: Final timestamp.json is expired": 7,
      "cold: Final timestamp.json is expired": 7,
    });
  });

  test("a signer that comes back heals it without an update", async () => {
    const warm = client();
    await warm.read("trusted_root.json");
    setClock(30, hours.clients);
    await expect(warm.read("trusted_root.json")).rejects.toThrow(/expired/);
    stack.renew();
    expect(await warm.read("trusted_root.json")).toBe("publication of day 0");
  });
});
