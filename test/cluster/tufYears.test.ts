// cosign as a new user on day 0, 200 and 400 of a repository's life. Its clock cannot be set, so
// the repository began so many days ago instead.
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ensureTools } from "../../local/tools/index.ts";
import { Mirror } from "../support/mirror.ts";
import { Days, hours, PublishingStack } from "../support/tufYears.ts";
import { run, type Run } from "./support/process.ts";

const mirror = new Mirror();
let cosign: string;
let home: string;

beforeAll(async () => {
  const tools = await ensureTools(["cosign"], (line) => process.stderr.write(`  ${line}\n`));
  cosign = tools.cosign!;
  await mirror.open();
});
afterAll(() => mirror.close());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "anchorhold-years-"));
});
afterEach(() => rm(home, { recursive: true }));

/** A stack that began `age` days ago and goes on until now; its signer may stop before. */
function liveUntilNow(age: number, signerStops = age): PublishingStack {
  const days = new Days(Date.now() - (age * 24 + hours.clients) * 3_600_000);
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    days.set(0, 0);
    const stack = new PublishingStack(mirror);
    stack.publish([{ name: "trusted_root.json", content: "publication of day 0" }]);
    for (let day = 0; day <= age; day++) {
      days.set(day, hours.schedule);
      if (day <= signerStops) stack.renew();
      days.set(day, hours.update);
      if (day % 30 === 29 && day <= signerStops)
        stack.publish([{ name: "trusted_root.json", content: `publication of day ${day}` }]);
    }
    return stack;
  } finally {
    vi.useRealTimers();
  }
}

function initialize({ firstRoot }: PublishingStack): Promise<Run> {
  const checksum = createHash("sha256").update(firstRoot).digest("hex");
  const root = ["--root", `${mirror.url}/1.root.json`, "--root-checksum", checksum];
  return run(cosign, ["initialize", "--mirror", mirror.url, ...root], {
    env: { HOME: home, TUF_ROOT: join(home, "tuf") },
  });
}

test.each([
  [0, "publication of day 0"],
  [200, "publication of day 179"],
  [400, "publication of day 389"],
])("day %i: a new user's cosign has the newest trusted root", async (age, newest) => {
  const { code, stderr } = await initialize(liveUntilNow(age));
  expect(code, stderr).toBe(0);
  const files = await readdir(join(home, "tuf"), { recursive: true });
  const target = files.find((path) => path.endsWith("trusted_root.json"));
  expect(await readFile(join(home, "tuf", target!), "utf8")).toBe(newest);
});

test("a signer that stopped eight days ago: cosign says what has expired", async () => {
  const { code, stderr } = await initialize(liveUntilNow(40, 32));
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/timestamp.json.*expired|expired.*timestamp/i);
});
