import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import { pack, unpack, unpackState } from "../../../cli/backup/archive.ts";
import { backupPassphrase } from "../../../cli/backup/passphrase.ts";
import { stateSchema } from "../../../cli/state.ts";

const folder = mkdtempSync(join(tmpdir(), "anchorhold-backup-"));
afterAll(() => rmSync(folder, { recursive: true }));

const passphrase = "correct horse battery staple";
const state = stateSchema.parse({ version: 3, deployment: { resources: [], other: { kept: 1 } } });

function rows(count: number): AsyncIterable<Buffer> {
  const lines = Array.from({ length: count }, (_, row) => `INSERT INTO t VALUES (${row});\n`);
  return Readable.from(lines.map((line) => Buffer.from(line)));
}

async function write(name: string, dump: AsyncIterable<Buffer>): Promise<string> {
  const file = join(folder, name);
  const checkpoints = { "rekor-1": { size: 7, rootHash: "ab".repeat(32) } };
  const chunks: Buffer[] = [];
  const created = new Date("2026-11-23T01:00:00Z");
  for await (const chunk of pack({ created, checkpoints, state, dump }, passphrase))
    chunks.push(chunk);
  writeFileSync(file, Buffer.concat(chunks));
  return file;
}

const textOf = async (source: AsyncIterable<Buffer>) => {
  let text = "";
  for await (const chunk of source) text += chunk.toString();
  return text;
};

describe("a backup", () => {
  test.each([0, 1, 5_000])("with %i rows comes back as it was", async (count) => {
    const file = await write(`rows-${count}`, rows(count));
    const backup = await unpack(file, passphrase);
    expect(backup.manifest).toMatchObject({
      created: "2026-11-23T01:00:00.000Z",
      checkpoints: { "rekor-1": { size: 7 } },
    });
    expect(backup.state).toEqual(state);
    expect(await textOf(backup.dump)).toBe(await textOf(rows(count)));
  });

  test("tells its state without its dump", async () => {
    const file = await write("state", Readable.from([randomBytes(300_000)]));
    expect(await unpackState(file, passphrase)).toMatchObject({ state, manifest: { version: 1 } });
  });

  test("whose dump fails is not finished", async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield* rows(3);
      throw new Error("the database went away");
    }
    await expect(write("broken", broken())).rejects.toThrow("the database went away");
  });

  test("that was cut off fails at the end of its dump, not before its state", async () => {
    const file = await write("cut", Readable.from([randomBytes(300_000)]));
    truncateSync(file, statSync(file).size - 20);
    const backup = await unpack(file, passphrase);
    expect(backup.state).toEqual(state);
    await expect(textOf(backup.dump)).rejects.toThrow(/cut was changed or is cut off/);
  });

  test("needs its passphrase", async () => {
    const file = await write("other", rows(1));
    await expect(unpack(file, "another passphrase")).rejects.toThrow(/does not open/);
  });
});

describe("the passphrase", () => {
  const file = join(folder, "passphrase");
  writeFileSync(file, `${passphrase}\n`);

  test("comes from a file, without its last line's end, or from the environment", () => {
    expect(backupPassphrase({ ANCHORHOLD_BACKUP_PASSPHRASE_FILE: file })).toBe(passphrase);
    expect(backupPassphrase({ ANCHORHOLD_BACKUP_PASSPHRASE: passphrase })).toBe(passphrase);
  });

  test.each([
    [{}, /There is no passphrase/],
    [{ ANCHORHOLD_BACKUP_PASSPHRASE: "" }, /There is no passphrase/],
    [{ ANCHORHOLD_BACKUP_PASSPHRASE: "opensesame" }, /too short/],
    [{ ANCHORHOLD_BACKUP_PASSPHRASE_FILE: "/no/such" }, /_FILE \/no\/such: ENOENT/],
  ])("%j is refused", (env, error) => {
    expect(() => backupPassphrase(env)).toThrow(error);
    expect(() => backupPassphrase(env)).not.toThrow(/opensesame/);
  });
});
