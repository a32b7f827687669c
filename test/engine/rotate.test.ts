import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { rotate, type RotateOptions } from "../../cli/rotate/command.ts";
import { outputsSchema } from "../../infra/outputs.ts";
import { PulumiRelay } from "./support/relay.ts";
import { ProgramUnderTest } from "./support/stack.ts";

let program: ProgramUnderTest;
let relay: PulumiRelay;
let said: string[];

/** Ports that nobody listens on, so that the verification at the end fails at once. */
const ports = { tuf: 2101, fulcio: 2102, tsa: 2103, ctLog: 2104, rekor: { "1": 2105 } };
const exposure = { type: "nodePort", host: "localhost", ports };

/** Runs the command; what Pulumi is asked for is in `relay.calls`. */
async function run(options: Partial<RotateOptions> = {}): Promise<boolean> {
  said = [];
  relay.calls.length = 0;
  const all = { file: program.engine.configFile, timeout: 5, ...options };
  const screen = { out: (text: string) => void said.push(text), ask: undefined };
  return await rotate("fulcioCa", all, screen);
}

const file = () => readFileSync(program.engine.configFile, "utf8");
/** Changes the first place, which is that of Fulcio's CA. */
const edit = (from: string, to: string) => {
  expect(file()).toContain(from);
  writeFileSync(program.engine.configFile, file().replace(from, to));
};
/** What the last call of Pulumi has said. */
const shown = () => {
  const { stdout = "", stderr = "" } = relay.calls.at(-1) ?? {};
  return stdout + stderr;
};
const commands = () => relay.calls.map(({ args }) => args[0]).filter((word) => word !== "stack");
const life = async () => outputsSchema.parse(await program.engine.stackOutputs()).life.fulcioCa;

beforeAll(async () => {
  program = await ProgramUnderTest.create();
  program.configure({ exposure });
  (await program.engine.up()).expectSuccess();
  relay = await PulumiRelay.open(program.engine);
  vi.stubEnv("ANCHORHOLD_PULUMI", relay.command);
  vi.stubEnv("SIGSTORE_ID_TOKEN", "none");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  relay.close();
  await program.close();
});

describe("anchorhold rotate, on the real engine,", () => {
  test("shows edit and preview in a dry run, and the file is as it was", async () => {
    const before = file();
    expect(await run({ dryRun: true })).toBe(true);
    expect(commands()).toEqual(["preview"]);
    expect(shown()).toContain("fulcioCa 2: a new key is made and published; nothing uses it yet");
    expect(file()).toBe(before);
    expect((await life()).states).toEqual({ "1": "active" });
  });

  test("announces, and says from when on the next step is allowed", async () => {
    expect(await run({ yes: true })).toBe(false); // nobody listens on these ports
    expect(commands()).toEqual(["preview", "up"]);
    expect(said.join("\n")).toMatch(/NOT verified[^]*Next: activate 2[^]*allowed from .* in 4 min/);
    expect(await life()).toMatchObject({ issues: 1, accepts: [1, 2] });

    expect(await run({ yes: true })).toBe(true);
    expect(commands()).toEqual([]);
  });

  test("ends at the preview where the program refuses what the file says", async () => {
    edit('"2": announced', '"2": active');
    edit('"1": active', '"1": draining');
    const early = file();
    await expect(run({ yes: true })).rejects.toThrow(/^The preview failed.* is as it was/);
    expect(shown()).toMatch(/2 was seen published at .* it can be active from/);
    expect(commands()).toEqual(["preview"]);
    expect(file()).toBe(early);
    edit('"1": draining', '"1": active');
    edit('"2": active', '"2": announced');
    edit("anchorhold:leadTime: 5m", "anchorhold:leadTime: 1s");
    await sleep(2000);
  });

  test("activates, and goes back", async () => {
    await run({ yes: true });
    expect(await life()).toMatchObject({ issues: 2, states: { "1": "draining", "2": "active" } });
    await run({ yes: true, back: true });
    expect(await life()).toMatchObject({ issues: 1, states: { "1": "active", "2": "announced" } });
  }, 600_000);

  test("distrusts a stolen key", async () => {
    const from = new Date();
    await run({ yes: true, distrust: 2, from });
    expect(file()).toContain(`"2": { distrusted: "${from.toISOString().slice(0, 19)}Z" }`);
    expect(await life()).toMatchObject({ issues: 1, states: { "1": "active", "2": "distrusted" } });
    expect(said.at(-1)).toMatch(/Next: announce 3/);
  });
});
