// More than a year in the life of a TUF repository, by an injected clock: the real functions sign,
// a real client walks over HTTP.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { judgeTimestamp } from "../../../cli/verify/timestamp.ts";
import { readTimestamp } from "../../../infra/trust/tuf/timestamp.ts";
import { Client, Mirror } from "../../support/mirror.ts";
import { Days, hours, life, PublishingStack } from "../../support/tufYears.ts";

const days = new Days(Date.parse("2026-03-01T00:00:00Z"));

/** What `anchorhold verify` says of what is served now. */
function verdict(mirror: Mirror): string {
  const { expires } = readTimestamp(mirror.files["timestamp.json"]!)!;
  return judgeTimestamp(expires, new Date(), life.timestampSeconds).result;
}

describe("400 days", () => {
  const mirror = new Mirror();
  let stack: PublishingStack;
  const clients: Client[] = [];
  const client = () => {
    const made = new Client(mirror, stack.firstRoot);
    clients.push(made);
    return made;
  };

  beforeAll(() => mirror.open());
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
    days.set(0, 0);
    stack = new PublishingStack(mirror);
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
      days.set(day, hours.schedule);
      stack.renew();
      if (day % 30 === 29) {
        days.set(day, hours.update);
        published = `publication of day ${day}`;
        stack.publish([{ name: "trusted_root.json", content: published }]);
      }
      days.set(day, hours.clients);
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
      days.set(day, hours.schedule);
      if (day <= stops) stack.renew();
      days.set(day, hours.clients);
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
    days.set(30, hours.clients);
    await expect(warm.read("trusted_root.json")).rejects.toThrow(/expired/);
    stack.renew();
    expect(await warm.read("trusted_root.json")).toBe("publication of day 0");
  });
});
