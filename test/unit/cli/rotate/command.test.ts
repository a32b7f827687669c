import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { rotate, type RotateOptions } from "../../../../cli/rotate/command.ts";
import { StackStandIn } from "./stack.ts";
import { World } from "./world.ts";

const leadTime = 300_000;
const projectRoot = fileURLToPath(new URL("../../../..", import.meta.url));

let stack: StackStandIn;
let world: World;
let said: string[];

beforeEach(async () => {
  stack = new StackStandIn();
  world = new World("fulcioCa", leadTime, Date.now() - 7 * 86_400_000);
  said = [];
  await stack.outputs(world.standing);
  vi.stubEnv("ANCHORHOLD_PULUMI", stack.pulumi);
  vi.stubEnv("SIGSTORE_ID_TOKEN", "none");
});

afterEach(() => {
  vi.unstubAllEnvs();
  stack.remove();
});

/** Runs the command on the stack's file, with nobody to ask unless an answer is given. */
function run(options: Partial<RotateOptions> = {}, answer?: boolean): Promise<boolean> {
  const ask = (question: string) => {
    said.push(question);
    return Promise.resolve(answer === true);
  };
  const screen = {
    out: (text: string) => void said.push(text),
    ask: answer === undefined ? undefined : ask,
  };
  return rotate("fulcioCa", { file: stack.file, timeout: 5, ...options }, screen);
}

function writeLines(lines: string): void {
  writeFileSync(stack.file, stack.bytes.replace('fulcioCa: { "1": active }', lines), "latin1");
}

const announced = 'fulcioCa: { "1": active, "2": announced }';

describe("rotate", () => {
  test("edits, previews, deploys and verifies, and says what comes next", async () => {
    world.apply({ "2": "announced" });
    world.update();
    await stack.outputs(world.standing, "after");
    const before = stack.bytes;

    expect(await run({ yes: true })).toBe(false); // nobody answers for this stack's services

    const flags = ["--config-file", stack.file];
    expect(stack.calls.map(({ args }) => args)).toEqual([
      ["preview", "--diff", ...flags],
      ["up", "--yes", "--skip-preview", "--suppress-outputs", ...flags],
    ]);
    const edited = before.replace('fulcioCa: { "1": active }', announced);
    expect(edited).not.toBe(before);
    expect(stack.calls.map(({ file }) => file)).toEqual([edited, edited]);
    expect(stack.bytes).toBe(edited);
    const text = said.join("\n");
    expect(text).toContain(`+     ${announced}`);
    expect(text).toMatch(/NOT verified: 0 ok, .* failed/);
    expect(text).toMatch(/2 +announced .* never +no end[^]*Next: activate 2: .*used from now on/);
  });

  test("asks, and a no takes the edit back", async () => {
    const before = stack.bytes;
    await expect(run({}, false)).rejects.toThrow(/^Declined: nothing was deployed, .* as it was/);
    expect(said.at(-1)).toBe("Deploy this?");
    expect(stack.bytes).toBe(before);
    expect(stack.calls.map(({ args }) => args[0])).toEqual(["preview"]);
  });

  test("asks, and a yes deploys", async () => {
    await run({}, true);
    expect(stack.calls.map(({ args }) => args[0])).toEqual(["preview", "up"]);
  });

  test("takes the edit back when the preview refuses it", async () => {
    const before = stack.bytes;
    stack.let("fail-preview");
    await expect(run({ yes: true })).rejects.toThrow(/^The preview failed.* as it was/);
    expect(stack.calls.map(({ file }) => file)).toEqual([expect.stringContaining(announced)]);
    expect(stack.bytes).toBe(before);
  });

  test("shows edit and preview alone in a dry run", async () => {
    const before = stack.bytes;
    expect(await run({ dryRun: true })).toBe(true);
    expect(stack.calls).toMatchObject([
      { args: ["preview", "--diff", "--config-file", stack.file] },
    ]);
    expect(stack.bytes).toBe(before);
    expect(said.join("\n")).toContain("Dry run: nothing was deployed");
  });

  test("keeps the edit of a failed update, and finishes it the next time", async () => {
    stack.let("fail-up");
    await expect(run({ yes: true })).rejects.toThrow(/^The update failed.*stays in .*stack.yaml/);
    expect(stack.bytes).toContain(announced);
    const edited = stack.bytes;

    stack.let("fail-up", false);
    world.apply({ "2": "announced" });
    world.update();
    await stack.outputs(world.standing, "after");
    await run({ yes: true });
    expect(said.join("\n")).toMatch(/Next: deploy what the stack file says .*: 2 announced/);
    expect(stack.calls.map(({ args }) => args[0])).toEqual(["preview", "up", "preview", "up"]);
    expect(stack.bytes).toBe(edited);
  });

  test("says how long a step has to wait, and changes nothing", async () => {
    world.now = Date.now() - 60_000;
    world.apply({ "2": "announced" });
    world.update();
    await stack.outputs(world.standing);
    writeLines(announced);
    expect(await run({ yes: true })).toBe(true);
    expect(said.at(-1)).toMatch(
      /^Next: activate 2: .*\n +allowed from .* on, in [34] min( \d+ s)?$/,
    );
    expect(stack.calls).toEqual([]);
  });

  test("leaves a file that was changed while the preview ran", async () => {
    stack.let("append");
    await expect(run({ dryRun: true })).rejects.toThrow(/was changed meanwhile/);
    expect(stack.bytes).toMatch(/# mine\n$/);
  });

  test("takes the edit back when it is told to end", async () => {
    const before = stack.bytes;
    stack.let("hang");
    const args = ["cli/main.ts", "rotate", "fulcioCa", "--yes", "--file", stack.file];
    const child = spawn(process.execPath, args, {
      cwd: projectRoot,
      stdio: "ignore",
      detached: true,
    });
    const group = -child.pid!;
    try {
      for (let i = 0; i < 200 && stack.calls.length === 0; i++) await sleep(50);
      expect(stack.bytes).toContain(announced);
      child.kill("SIGTERM");
      await once(child, "exit");
      expect(stack.bytes).toBe(before);
    } finally {
      process.kill(group, "SIGKILL"); // Pulumi's stand-in hangs on
    }
  });
});

describe("rotate refuses, before it asks Pulumi for anything,", () => {
  const screen = { out: () => undefined, ask: undefined };
  test.each<[string, string, Partial<RotateOptions>, RegExp]>([
    ["to deploy unasked", "fulcioCa", {}, /no terminal .* --yes .* --dry-run/],
    ["a kind that does not rotate yet", "rekor", { yes: true }, /^Not yet: .* 1 of rekor alone/],
    ["an unknown kind", "fulcio", { yes: true }, /no kind fulcio. It rotates fulcioCa, ctLog/],
    ["a theft without its time", "ctLog", { yes: true, distrust: 1 }, /go together/],
    [
      "two steps at once",
      "ctLog",
      { yes: true, distrust: 1, from: new Date(), back: true },
      /a step of its own/,
    ],
  ])("%s", async (_what, kind, options, why) => {
    const all = { file: stack.file, timeout: 5, ...options };
    await expect(rotate(kind, all, screen)).rejects.toThrow(why);
    expect(stack.calls).toEqual([]);
  });

  test("a stack file with problems", async () => {
    writeLines('fulcioCa: { "1": actve }');
    await expect(run({ yes: true })).rejects.toThrow(/stack.yaml has 1 problem.*fulcioCa\.1/);
  });

  test("a stack file that is not there", async () => {
    await expect(run({ yes: true, file: "/nowhere.yaml" })).rejects.toThrow(/nowhere.yaml: ENOENT/);
  });
});
