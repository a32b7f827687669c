// The store of finished builds: what is there is complete, whoever builds and dies.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LocalError } from "../../../local/errors.ts";
import { ownerLives, withLock } from "../../../local/tools/lock.ts";
import { ensureStored, keyOf } from "../../../local/tools/store.ts";

const silent = () => undefined;
let directory = "";
let target = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "store-"));
  target = join(directory, "thing", "v1");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const ensure = (build: (draft: string) => Promise<void>) =>
  ensureStored(target, "The thing", build, silent);
const writeThing = (draft: string) => writeFile(join(draft, "file"), "whole");

/** A process that starts a build and is killed in the middle of it. */
async function killedBuild(): Promise<void> {
  const store = join(process.cwd(), "local/tools/store.ts");
  const program = `
    import { ensureStored } from ${JSON.stringify(store)};
    import { writeFileSync } from "node:fs";
    await ensureStored(${JSON.stringify(target)}, "The thing", async (draft) => {
      writeFileSync(draft + "/file", "ha");
      console.log("building");
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }, () => undefined);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("close", resolve));
}

describe("a build", () => {
  test("is done once and found afterwards", async () => {
    let builds = 0;
    const build = (draft: string): Promise<void> => {
      builds += 1;
      return writeThing(draft);
    };
    expect(await ensure(build)).toBe(target);
    await ensure(build);
    expect(builds).toBe(1);
    expect(await readdir(join(directory, "thing"))).toEqual(["v1"]);
  });

  test("that fails leaves nothing, and the next one succeeds", async () => {
    const broken = ensure(async (draft) => {
      await writeThing(draft);
      throw new LocalError("The thing: broken");
    });
    await expect(broken).rejects.toThrow(new LocalError("The thing: broken"));
    expect(await readdir(join(directory, "thing"))).toEqual([]);
    await ensure(writeThing);
    expect(await readFile(join(target, "file"), "utf8")).toBe("whole");
  });

  test("that meets a full disk says so", async () => {
    // Linux's /dev/full answers every write with ENOSPC.
    const full = ensure(() => writeFile("/dev/full", "x"));
    await expect(full).rejects.toThrow(LocalError);
    await expect(ensure(() => writeFile("/dev/full", "x"))).rejects.toThrow(
      /^The thing: the disk is full/,
    );
  });

  test("that was killed does not count, and what it left is removed", async () => {
    await killedBuild();
    expect(existsSync(target)).toBe(false);
    const left = await readdir(join(directory, "thing"));
    expect(left).toContain("v1.lock");
    expect(left).toHaveLength(2);
    await ensure(writeThing);
    expect(await readFile(join(target, "file"), "utf8")).toBe("whole");
    expect(await readdir(join(directory, "thing"))).toEqual(["v1"]);
  });

  test("is done by one when several ask at once", async () => {
    let builds = 0;
    const build = async (draft: string): Promise<void> => {
      builds += 1;
      await sleep(50);
      await writeThing(draft);
    };
    await Promise.all([ensure(build), ensure(build), ensure(build)]);
    expect(builds).toBe(1);
  });
});

describe("a lock", () => {
  test("is held by one at a time; the others say whom they wait for", async () => {
    const lock = join(directory, "lock");
    const waitedFor: string[] = [];
    let inside = 0;
    const task = async (): Promise<void> => {
      expect((inside += 1)).toBe(1);
      await sleep(30);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(lock, task, (owner) => waitedFor.push(owner))));
    expect(new Set(waitedFor)).toEqual(new Set([String(process.pid)]));
    expect(existsSync(lock)).toBe(false);
  });

  test("of a dead or unreadable owner is taken over", async () => {
    const lock = join(directory, "lock");
    for (const owner of ["", "nonsense", "4194304 1", `${process.pid} 1`]) {
      await writeFile(lock, owner);
      expect(await ownerLives(owner)).toBe(false);
      expect(await withLock(lock, () => Promise.resolve("taken"), silent)).toBe("taken");
    }
  });

  test("is given back when the task fails", async () => {
    const lock = join(directory, "sub", "lock");
    await mkdir(join(directory, "sub"));
    const failing = withLock(lock, () => Promise.reject(new Error("no")), silent);
    await expect(failing).rejects.toThrow("no");
    expect(existsSync(lock)).toBe(false);
  });
});

test("a key changes with every part", () => {
  expect(keyOf("a", { b: 1 })).toBe(keyOf("a", { b: 1 }));
  const keys = [keyOf("a", "b"), keyOf("ab"), keyOf("a", "c"), keyOf("b", "a"), keyOf(["a", "b"])];
  expect(new Set(keys).size).toBe(keys.length);
});
