// The running stack goes into a file, and all that a restore needs is in it.
import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unpack } from "../../cli/backup/archive.ts";
import { planRestore } from "../../cli/restore/plan.ts";
import { stateSchema } from "../../cli/state.ts";
import { describeStack, projectRoot } from "./support/stack.ts";
import { run } from "./support/process.ts";

await describeStack("anchorhold backup", ({ outputs }) => {
  const passphrase = randomBytes(32).toString("base64");
  let folder: string;
  let file: string;
  const backup = (given = passphrase) =>
    run(process.execPath, ["local/cli.ts", "anchorhold", "backup", file], {
      cwd: projectRoot,
      env: { ...process.env, ANCHORHOLD_BACKUP_PASSPHRASE: given },
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "anchorhold-backup-"));
    file = join(folder, "backup");
  });

  afterAll(() => rm(folder, { recursive: true }));

  test("refuses a short passphrase and writes nothing", async () => {
    const { code, stderr } = await backup("short");
    expect([code, existsSync(file)]).toEqual([2, false]);
    expect(stderr).toMatch(/passphrase is too short/);
  });

  test("writes one file for its owner alone, and never over another", async () => {
    const { code, stdout } = await backup();
    expect(code).toBe(0);
    expect(stdout).toContain(`${statSync(file).size} bytes`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await backup();
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("exists")]);
  });

  test("has every log's tree, and what a restore in another cluster needs", async () => {
    const { dump, ...about } = await unpack(file, passphrase);
    const statements: Buffer[] = [];
    for await (const chunk of dump) statements.push(chunk);
    const text = Buffer.concat(statements).toString("latin1");
    const trees = Object.values({ ...outputs.records.ctLog }).concat(
      Object.values(outputs.records.rekor),
    );
    const rows = text.slice(text.indexOf("INSERT INTO `Trees`"));
    for (const { treeId } of trees) expect(rows).toContain(`(${treeId},`);
    const nothing = stateSchema.parse({ version: 3, deployment: {} });
    const cluster = { uid: "another", occupied: [] };
    const { state, marks } = planRestore({ backup: about, current: nothing, cluster });
    expect(marks.map(({ name }) => name)).toContain(`rekor-${outputs.life.rekor.issues}`);
    expect(JSON.stringify(state)).not.toContain("kubernetes:core/v1:Namespace");
  });

  test("does not open once a byte is changed", async () => {
    const bytes = await readFile(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 100) ^ 1, bytes.length - 100);
    const changed = join(folder, "changed");
    await writeFile(changed, bytes);
    const readAll = async () => {
      const { dump } = await unpack(changed, passphrase);
      for await (const chunk of dump) expect(chunk.length).toBeGreaterThanOrEqual(0);
    };
    await expect(readAll()).rejects.toThrow(/changed was changed or is cut off/);
  });
});
