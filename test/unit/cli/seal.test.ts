import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { open, seal } from "../../../cli/backup/seal.ts";

/** Cheap to derive: what is tested here is not the passphrase's strength. */
const cost = { N: 1024, r: 8, p: 1 };
const passphrase = "correct horse battery staple";

function inPieces(bytes: Buffer, size: number): AsyncIterable<Buffer> {
  const starts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => index * size);
  return Readable.from(starts.map((at) => bytes.subarray(at, at + size)));
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const sealed = (bytes: Buffer, piece = 10_000) =>
  collect(seal(inPieces(bytes, piece), passphrase, cost));
const opened = (bytes: Buffer, { piece = 10_000, key = passphrase } = {}) =>
  collect(open(inPieces(bytes, piece), key, "FILE"));

const chunk = 65_536;
const headerLength = (file: Buffer) => file.indexOf("\n", file.indexOf("\n") + 1) + 1;

describe("what was sealed", () => {
  test.each([0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3 * chunk + 7])(
    "%i bytes open as they were, in pieces of any size",
    async (length) => {
      const bytes = Buffer.alloc(length, "abc");
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 300, max: 3 * chunk }),
          fc.integer({ min: 300, max: 3 * chunk }),
          async (write, read) => {
            const file = await sealed(bytes, write);
            expect((await opened(file, { piece: read })).equals(bytes)).toBe(true);
          },
        ),
        { numRuns: 5 },
      );
    },
  );

  test("differs each time, and shows nothing of its content", async () => {
    const bytes = Buffer.alloc(1000, "PRIVATE KEY");
    const [a, b] = [await sealed(bytes), await sealed(bytes)];
    expect(a.equals(b)).toBe(false);
    expect(a.includes("PRIVATE")).toBe(false);
  });
});

describe("a file that is not as it was made", async () => {
  const file = await sealed(Buffer.alloc(2 * chunk + 500, "x"));
  const start = headerLength(file);
  const part = (index: number) =>
    file.subarray(start + index * (chunk + 16), start + (index + 1) * (chunk + 16));
  const refused = async (changed: Buffer, error: RegExp) =>
    expect(opened(changed)).rejects.toThrow(error);

  test("with one bit flipped anywhere does not open", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: file.length - 1 }),
        fc.integer({ min: 0, max: 7 }),
        async (at, bit) => {
          const changed = Buffer.from(file);
          changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
          await refused(changed, /does not open|was changed|is no backup/);
        },
      ),
      { numRuns: 60 },
    ));

  test("that is cut off anywhere does not open", () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: file.length - 1 }), async (length) => {
        await refused(file.subarray(0, length), /does not open|is cut off|is no backup/);
      }),
      { numRuns: 60 },
    ));

  test.each<[string, () => Buffer]>([
    ["cut off after whole chunks", () => file.subarray(0, start + 2 * (chunk + 16))],
    [
      "with chunks changed about",
      () => Buffer.concat([file.subarray(0, start), part(1), part(0), part(2)]),
    ],
    ["with a chunk left out", () => Buffer.concat([file.subarray(0, start), part(0), part(2)])],
    [
      "with a chunk twice",
      () => Buffer.concat([file.subarray(0, start), part(0), part(0), part(1), part(2)]),
    ],
    ["with something after its end", () => Buffer.concat([file, Buffer.from("more")])],
    ["twice in one", () => Buffer.concat([file, file])],
  ])("%s does not open", async (_, make) =>
    refused(make(), /does not open|was changed or is cut off/),
  );

  test("under the header of another does not open", async () => {
    const other = await sealed(Buffer.alloc(10));
    const spliced = Buffer.concat([other.subarray(0, headerLength(other)), file.subarray(start)]);
    await refused(spliced, /does not open/);
  });

  test("with another passphrase says so", async () => {
    await expect(opened(file, { key: "another passphrase" })).rejects.toThrow(
      /FILE does not open: the passphrase is another, or the file was changed/,
    );
  });

  test.each([
    ["another kind of file", Buffer.from("PK\x03\x04 something else")],
    ["nothing at all", Buffer.alloc(0)],
    ["a long line", Buffer.concat([Buffer.from("anchorhold backup 1\n"), Buffer.alloc(5000, "{")])],
    [
      "a cost that would stop this machine",
      Buffer.from(file.toString("latin1").replace('"N":1024', '"N":1073741824'), "latin1"),
    ],
  ])("%s is no backup", async (_, bytes) => refused(bytes, /FILE is no backup/));
});
