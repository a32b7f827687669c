// A rotation of the CA whose updates are killed while signers and verifiers are at work: each kill
// is followed by `anchorhold recover` and the same update.
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nextLife } from "./support/life.ts";
import { Load } from "./support/load/load.ts";
import { mustRun, run } from "./support/process.ts";
import { Rotation } from "./support/rotation.ts";
import { anchorholdVerify, describeStack, projectRoot, readOutputs } from "./support/stack.ts";

const kind = "fulcioCa";
const anchorhold = (...args: string[]) =>
  [process.execPath, ["local/cli.ts", "anchorhold", ...args]] as const;

await describeStack("updates that are killed under load", (stack) => {
  const rotation = new Rotation({
    leadTime: "20s",
    timestamp: { life: "1d", schedule: "* * * * *" },
  });
  const { next, steps } = nextLife(rotation.lines(kind));
  const [announce, activate] = steps;
  let load: Load;

  beforeAll(async () => {
    await rotation.begin();
    const log = join(tmpdir(), "anchorhold-killed.jsonl");
    load = await Load.start({ outputs: stack.outputs, cosign: stack.cosign, oldBundles: [], log });
  });
  afterAll(async () => {
    await load.stop();
    await rotation.restore();
  });

  /** Nothing but the one documented command, and again: there is nothing left to do. */
  async function recover(): Promise<void> {
    const [node, args] = anchorhold("recover", "--yes");
    await mustRun(node, args, { cwd: projectRoot, limitMs: 120_000 });
    const again = await run(node, args, { cwd: projectRoot, limitMs: 120_000 });
    expect(again.code, again.stdout + again.stderr).toBe(0);
  }

  test.each([
    ["its record was made", new RegExp(`fulcio-ca-${next}-public created`), 0],
    ["Helm rolls the CT log", /Release ctlog-release updating/, 2_000],
    [
      "a new state of the mirror starts",
      /Deployment tuf-mirror-revision-server (creat|replac)/,
      300,
    ],
  ])("announcing, killed when %s", async (_when, output, delay) => {
    expect(await rotation.killed(kind, announce!.lines, output, delay)).toBe(true);
    await recover();
  });

  test("announced in the end", async () => {
    await rotation.deploy(kind, announce!.lines);
    load.outputs = await readOutputs();
    expect(Object.keys(load.outputs.records.fulcioCa)).toContain(next);
    await sleep(20_000);
  });

  test.each([
    ["Helm rolls Fulcio", /Release fulcio-release updating/, 3_000],
    ["Fulcio has changed, and nobody wrote it down", /Release fulcio-release updated/, 0],
  ])("activating, killed when %s", async (_when, output, delay) => {
    expect(await rotation.killed(kind, activate!.lines, output, delay)).toBe(true);
    await recover();
  });

  test("active in the end, and no signature or verification failed", async () => {
    await rotation.deploy(kind, activate!.lines);
    const outputs = await readOutputs();
    expect(outputs.life.fulcioCa.issues).toBe(Number(next));
    expect(outputs.records.fulcioCa).toMatchObject(stack.outputs.records.fulcioCa);
    const file = join(tmpdir(), "anchorhold-killed-outputs.json");
    await writeFile(file, JSON.stringify(outputs));
    const verified = await anchorholdVerify("--outputs", file);
    expect(verified.code, verified.stdout).toBe(0);
    await load.stop();
    const { sign, verify, failures } = load.report();
    process.stderr.write(`  signed ${sign.ok}, verified ${verify.ok}, failed ${failures.length}\n`);
    expect(failures).toEqual([]);
    expect(Math.min(sign.ok, verify.ok)).toBeGreaterThan(100);
  });
});
