// The commands of the local stack with another stack's name: what would run Pulumi has stand-ins
// behind it on a machine without an official one, and says so.
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "./support/stack.ts";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "anchorhold-other-"));
  const rungs = { pulumi: "build", plugins: "stand-in" };
  await writeFile(join(home, "choices.json"), JSON.stringify({ rungs }));
});
afterAll(() => rm(home, { recursive: true }));

test.each([
  ["anchorhold", "doctor", "--stack", "production"],
  ["anchorhold", "verify", "--stack", "review"],
  ["pulumi", "preview", "-ds", "production"],
])("npm run %s -- %s %s %s is refused", (...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["local/cli.ts", ...args], {
    cwd: repository,
    encoding: "utf8",
    env: { ...process.env, ANCHORHOLD_HOME: home },
  });
  expect(`${stdout}${stderr}`).toMatch(/Stack (production|review): the stand-ins/);
  expect(status).not.toBe(0);
});
