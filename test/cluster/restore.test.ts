// The machine is lost: cluster, database and Pulumi's state. What is left is a backup, its passphrase
// and the passphrase of the stack. It takes the local stack away and brings it back.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { logTarget } from "../../infra/expectations.ts";
import { hasGrown, logState, type LogState, type LogTarget } from "../../infra/observe/logs.ts";
import type { StackOutputs } from "../../infra/outputs.ts";
import { layout } from "../../local/node/layout.ts";
import { passphraseFile, stackFile } from "../../local/stack/environment.ts";
import { as, Cosign } from "./support/cosign.ts";
import {
  verifyLocal,
  describeStack,
  mustRun,
  probeIdentity,
  projectRoot,
  pulumi,
  readOutputs,
  type Identity,
} from "./support/stack.ts";

const say = (line: string) => process.stderr.write(`  ${line}\n`);

/** Runs a command of `npm run`, and says how long it took. */
async function local(...args: string[]): Promise<string> {
  const begun = Date.now();
  const options = { cwd: projectRoot, limitMs: 1_200_000 };
  const output = await mustRun(process.execPath, ["local/cli.ts", ...args], options);
  say(`npm run ${args.slice(0, 2).join(" ")}: ${Math.round((Date.now() - begun) / 1000)} s`);
  return output;
}

/** The logs in use, each with where clients reach it. */
function logsInUse({ records, life, prefix }: StackOutputs): { log: LogTarget; base: string }[] {
  return (["ctLog", "rekor"] as const).map((kind) => {
    const record = records[kind][life[kind].issues]!;
    const base = kind === "ctLog" ? dirname(record.baseUrl) : record.baseUrl;
    return { log: logTarget(kind, prefix, record), base };
  });
}

const stateOf = ({ log, base }: ReturnType<typeof logsInUse>[number]): Promise<LogState> =>
  logState(log, base, AbortSignal.timeout(10_000));

await describeStack("a backup, restored after all is lost", (stack) => {
  const before = stack.outputs;
  const logs = logsInUse(before);
  let folder: string;
  let file: string;
  let identity: Identity;
  let cosign: Cosign;
  let sizes: LogState[];
  let isWell = false;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "anchorhold-restore-"));
    file = join(folder, "backup");
    await writeFile(join(folder, "passphrase"), randomBytes(32).toString("base64"));
    process.env.ANCHORHOLD_BACKUP_PASSPHRASE_FILE = join(folder, "passphrase");
    // Whatever becomes of the test, these two bring the stack back.
    await writeFile(join(folder, "stack-passphrase"), await readFile(passphraseFile));
    identity = await probeIdentity(before);
    cosign = await Cosign.initialize(stack);
    await writeFile(cosign.path("old"), randomBytes(64));
    await cosign.sign("sign-blob", "old", "--bundle", "old.json");
  });

  afterAll(async () => {
    await cosign.dispose();
    if (isWell) await rm(folder, { recursive: true });
    else say(`kept for another restore: ${folder}`);
  });

  test("is made in one file that shows nothing", async () => {
    await local("anchorhold", "backup", file);
    const { size, mode } = statSync(file);
    say(`the backup has ${size} bytes`);
    expect(mode & 0o777).toBe(0o600);
    expect(readFileSync(file).includes("PRIVATE KEY")).toBe(false);
    sizes = await Promise.all(logs.map(stateOf));
  });

  test("brings back the same Sigstore in a new cluster", async () => {
    await local("down", "--purge");
    for (const path of [layout.etcd, layout.volumes, stackFile, passphraseFile])
      expect(existsSync(path)).toBe(false);
    mkdirSync(dirname(passphraseFile), { recursive: true });
    writeFileSync(passphraseFile, readFileSync(join(folder, "stack-passphrase")), { mode: 0o600 });
    say(await local("up", "--restore", file, "--nothing-signed-since"));
    const { clusterUid, ...after } = await readOutputs();
    expect(clusterUid).not.toBe(before.clusterUid);
    expect({ ...after, clusterUid: before.clusterUid }).toEqual(before);
  });

  test("an old bundle verifies, with the client's cache from before", async () => {
    const args = ["verify-blob", "old", "--bundle", "old.json", ...as(identity)];
    const { code, stderr } = await cosign.run(...args);
    expect(stderr).toContain("Verified OK");
    expect(code).toBe(0);
  });

  test("signing goes on: the logs only add to what they were", async () => {
    await writeFile(cosign.path("new"), randomBytes(64));
    await cosign.sign("sign-blob", "new", "--bundle", "new.json");
    const fresh = await Cosign.initialize(stack);
    try {
      const args = ["verify-blob", "new", "--bundle", cosign.path("new.json"), ...as(identity)];
      await writeFile(fresh.path("new"), await readFile(cosign.path("new")));
      expect((await fresh.run(...args)).code).toBe(0);
    } finally {
      await fresh.dispose();
    }
    for (const [index, { log, base }] of logs.entries()) {
      const [was, is] = [sizes[index]!, await stateOf({ log, base })];
      expect(is.size).toBeGreaterThan(was.size);
      expect(await hasGrown(log, base, was, is, AbortSignal.timeout(10_000))).toBe(true);
    }
    expect((await verifyLocal()).code).toBe(0);
  });

  test("there is nothing more to do, for an update or another restore", async () => {
    const preview = await pulumi("preview", "--expect-no-changes");
    expect(preview.stderr).not.toContain("could not be compared");
    expect(preview.code).toBe(0);
    const again = await local("anchorhold", "restore", file, "--yes", "--nothing-signed-since");
    expect(again).toContain("The database has these logs already.");
    isWell = true;
  });
});
