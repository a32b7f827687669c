import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { tarGz, type Entry } from "../../../../cli/admission/tar.ts";

/** What tar(1) finds in an archive. */
function unpacked(archive: Buffer, names: readonly string[]): Entry[] {
  const folder = mkdtempSync(join(tmpdir(), "anchorhold-tar-"));
  try {
    writeFileSync(join(folder, "archive.tar.gz"), archive);
    execFileSync("tar", ["-xzf", "archive.tar.gz"], { cwd: folder });
    return names.map((path) => ({ path, content: readFileSync(join(folder, path), "utf8") }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("tar(1) reads what was packed, files of 0, 512 and more bytes", () => {
  const content = fc.oneof(fc.string({ unit: "grapheme", maxLength: 2000 }), fc.constant(""));
  fc.assert(
    fc.property(fc.array(content, { minLength: 1, maxLength: 5 }), (texts) => {
      const whole = ["x".repeat(512), "y".repeat(40_000), ...texts];
      const entries = whole.map((text, index) => ({ path: `repository/${index}`, content: text }));
      expect(
        unpacked(
          tarGz(entries),
          entries.map(({ path }) => path),
        ),
      ).toEqual(entries);
    }),
    { numRuns: 20 },
  );
});

test("the same files give the same bytes", () => {
  const entries = [{ path: "a", content: "b" }];
  expect(tarGz(entries)).toEqual(tarGz(entries));
});

test("a path that does not fit is refused", () => {
  expect(() => tarGz([{ path: "a".repeat(101), content: "" }])).toThrow("too long");
});
