import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { carry } from "../../../../cli/admission/repository.ts";
import { Client, Mirror } from "../../../support/mirror.ts";
import { PublishingStack } from "../../../support/tufYears.ts";

const mirror = new Mirror();
let folder: string;
beforeEach(async () => {
  await mirror.open();
  folder = await mkdtemp(join(tmpdir(), "anchorhold-carried-"));
});
afterEach(async () => {
  await mirror.close();
  await rm(folder, { recursive: true });
});

/** Serves what an archive holds, as the mirror did. */
async function serveUnpacked(archive: Buffer): Promise<void> {
  await writeFile(join(folder, "archive.tar.gz"), archive);
  execFileSync("tar", ["-xzf", "archive.tar.gz"], { cwd: folder });
  const root = join(folder, "repository");
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  mirror.files = Object.fromEntries(
    await Promise.all(
      files.map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [path.slice(root.length + 1), await readFile(path, "utf8")] as const;
      }),
    ),
  );
}

test("a client takes what was carried as it takes the mirror", async () => {
  const stack = new PublishingStack(mirror);
  stack.publish([{ name: "trusted_root.json", content: "first" }]);
  stack.publish([{ name: "trusted_root.json", content: "second" }]);
  const { archive, expires } = await carry({ url: mirror.url, initialRoot: stack.firstRoot });
  expect(Math.round((expires.getTime() - Date.now()) / 86_400_000)).toBe(7);
  mirror.files = {};
  await serveUnpacked(archive);
  const client = new Client(mirror, stack.firstRoot);
  expect(await client.read("trusted_root.json")).toBe("second");
  client.dispose();
});

test("what a client refuses is not carried", async () => {
  const stack = new PublishingStack(mirror);
  stack.publish([{ name: "trusted_root.json", content: "first" }]);
  const initialRoot = new PublishingStack(mirror).firstRoot;
  await expect(carry({ url: mirror.url, initialRoot })).rejects.toThrow();
});
