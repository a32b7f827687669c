// local/setup.sh with the real npm, on a package whose only dependency lies beside it.
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
let project = "";

const setup = (env: NodeJS.ProcessEnv = process.env) =>
  run("sh", ["local/setup.sh"], { cwd: project, env });
const json = (path: string, value: unknown) =>
  writeFile(join(project, path), JSON.stringify(value));

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "setup-"));
  await mkdir(join(project, "local"));
  await mkdir(join(project, "node-stand-in"));
  await copyFile("local/setup.sh", join(project, "local/setup.sh"));
  await json("node-stand-in/package.json", {
    name: "node-stand-in",
    version: "1.0.0",
    bin: { node: "./node.sh" },
  });
  await writeFile(join(project, "node-stand-in/node.sh"), "#!/bin/sh\necho v24.0.0\n", {
    mode: 0o755,
  });
  await json("package.json", { name: "project", dependencies: { n: "file:./node-stand-in" } });
  await run("npm", ["install", "--package-lock-only", "--offline"], { cwd: project });
});

afterAll(() => rm(project, { recursive: true, force: true }));

test("installs once, and again when the lock file has changed", async () => {
  expect((await setup()).stdout).toContain("Node.js v24.0.0");
  expect((await setup()).stdout).toBe("");
  const lock = await readFile(join(project, "package-lock.json"), "utf8");
  await writeFile(join(project, "package-lock.json"), `${lock}\n`);
  expect((await setup()).stdout).toContain("installing npm packages");
  expect((await setup()).stdout).toBe("");
});

test("a stopped installation does not count as done", async () => {
  await rm(join(project, "node_modules"), { recursive: true });
  await mkdir(join(project, "node_modules"));
  expect((await setup()).stdout).toContain("installing npm packages");
});

test("names what is missing", async () => {
  await rm(join(project, "node_modules"), { recursive: true });
  const bin = join(project, "bin");
  await mkdir(bin);
  for (const tool of ["sh", "dirname", "cmp"]) {
    const { stdout } = await run("sh", ["-c", `command -v ${tool}`]);
    await run("ln", ["-s", stdout.trim(), bin]);
  }
  await expect(setup({ PATH: bin })).rejects.toThrow(/npm is not on PATH. Install Node.js/);
});
