import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tree } from "../../../local/node/cgroups.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "anchorhold-cgroups-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the deepest come first, so that each is empty when it is removed", () => {
  mkdirSync(join(folder, "pods", "one"), { recursive: true });
  expect(tree(folder)).toEqual([join(folder, "pods", "one"), join(folder, "pods"), folder]);
  expect(tree(join(folder, "none"))).toEqual([]);
});

test("containers may go while their cgroups are read", async () => {
  const program = `
    const { mkdirSync, rmdirSync } = require("node:fs");
    const paths = Array.from({ length: 50 }, (_, n) => "${folder}/" + n);
    for (process.stdout.write("begun"); ; ) {
      paths.forEach((path) => mkdirSync(path));
      paths.forEach((path) => rmdirSync(path));
    }`;
  const containers = spawn(process.execPath, ["-e", program]);
  try {
    await once(containers.stdout, "data");
    const counts = new Set(Array.from({ length: 2000 }, () => tree(folder).length));
    expect(counts.size).toBeGreaterThan(5); // they came and went
  } finally {
    containers.kill("SIGKILL");
    await once(containers, "exit");
  }
});
