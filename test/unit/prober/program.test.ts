import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { packed, probeProgram } from "../../../infra/platform/prober/bundle.ts";

const project = join(import.meta.dirname, "../../..");

test("the program is one file, which needs nothing but Node and fits into a ConfigMap", async () => {
  const program = await probeProgram();
  const text = packed(program);
  expect(brotliDecompressSync(Buffer.from(text, "base64")).toString()).toBe(program);
  console.log(`${program.length} bytes, ${text.length} packed`);
  expect(text.length).toBeLessThan(256 * 1024);
  const modules = [...program.matchAll(/\brequire\([`"']([^`"']+)[`"']\)/g)].map(
    ([, name]) => name!,
  );
  const { builtinModules } = await import("node:module");
  const foreign = modules.filter((name) => !builtinModules.includes(name.replace(/^node:/, "")));
  // The package `debug` looks for it, and is content without.
  expect([...new Set(foreign)]).toEqual(["supports-color"]);
});

test("another checkout, with its packages elsewhere, gives the same bytes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "anchorhold-checkout-"));
  try {
    const copy = join(folder, "a", "checkout");
    mkdirSync(copy, { recursive: true });
    for (const name of ["infra", "package.json", "tsconfig.json"])
      cpSync(join(project, name), join(copy, name), { recursive: true });
    symlinkSync(join(project, "node_modules"), join(copy, "node_modules"));
    const script =
      'import("./infra/platform/prober/bundle.ts").then(async (b) => ' +
      "process.stdout.write(b.packed(await b.probeProgram())));";
    const other = execFileSync(process.execPath, ["--eval", script], { cwd: copy });
    expect(other.toString()).toBe(packed(await probeProgram()));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
