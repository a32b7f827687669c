// Every client's day goes on while a CA and a CT log are replaced: the whole life of the next
// generation of each, with signers and verifiers at work from a minute before until a minute after. On
// the node of `npm start` the network policies are enforced meanwhile.
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMirror } from "../../infra/observe/mirror.ts";
import { as, Cosign } from "./support/cosign.ts";
import { startEnforcer, type Enforcement } from "./support/enforcer.ts";
import { SigstoreJs } from "./support/js.ts";
import { nextLife } from "./support/life.ts";
import { Load } from "./support/load/load.ts";
import type { Makers } from "./support/load/operation.ts";
import { RollWatcher } from "./support/load/rollWatcher.ts";
import { isOurNode } from "./support/node.ts";
import { Rotation, sleepUntil } from "./support/rotation.ts";
import {
  anchorholdVerify,
  describeStack,
  probeIdentity,
  readOutputs,
  type Identity,
} from "./support/stack.ts";

/** A lead time that a test can wait for, and a timestamp that is renewed under way. */
const settings = { leadTime: "90s", timestamp: { life: "1d", schedule: "* * * * *" } };
const minute = 60_000;

/** Longer than any signature takes: what a pod that is gone has made is through after it. */
const settle = 3_000;

/** What is rotated, and the field of a signature that tells the generation. */
const rotated = [
  { kind: "fulcioCa", field: "ca" },
  { kind: "ctLog", field: "ctLog" },
] as const satisfies { kind: string; field: keyof Makers }[];

const begun = Date.now();
const say = (line: string) =>
  process.stderr.write(`  ${Math.round((Date.now() - begun) / 1000)}s  ${line}\n`);

await describeStack("rotation under load", (stack) => {
  const start = stack.outputs;
  const rotation = new Rotation(settings);
  const log = join(tmpdir(), "anchorhold-rotation.jsonl");
  const blob = randomBytes(64);
  let folder: string;
  let identity: Identity;
  let oldest: { cosign: Cosign; js: SigstoreJs };
  /** From before the load, by the client that made it. */
  let oldBundles: Record<"cosign" | "js", string>;
  let load: Load;
  let watcher: RollWatcher;
  let enforcement: Enforcement | undefined;

  beforeAll(async () => {
    if (isOurNode) enforcement = await startEnforcer();
    say(
      `network policies are ${enforcement === undefined ? "the cluster's business" : "enforced"}`,
    );
    folder = await mkdtemp(join(tmpdir(), "anchorhold-rotation-"));
    identity = await probeIdentity(start);
    oldest = { cosign: await Cosign.initialize(stack), js: await SigstoreJs.start(stack) };
    await writeFile(join(folder, "blob"), blob);
    await oldest.cosign.sign("sign-blob", join(folder, "blob"), "--bundle", "old.json");
    oldBundles = {
      cosign: await readFile(oldest.cosign.path("old.json"), "utf8"),
      js: await oldest.js.sign(blob),
    };
    say(`begins; the load's log: ${log}`);
    await rotation.begin();
    const old = Object.values(oldBundles).map((bundle) => ({ blob, bundle }));
    watcher = new RollWatcher(`${start.prefix}-`);
    load = await Load.start({ outputs: start, cosign: stack.cosign, oldBundles: old, log });
    say("the load runs");
    await sleep(minute);
  });
  afterAll(async () => {
    await load.stop();
    await rotation.restore();
    await enforcement?.stop();
    await Promise.all([oldest.cosign.dispose(), oldest.js.dispose()]);
    await rm(folder, { recursive: true });
  });

  /** Deploys one step and lets a quiet phase follow, in which only one generation may sign. */
  async function takeStep(
    { kind, field }: (typeof rotated)[number],
    { name, lines, issues, waits }: ReturnType<typeof nextLife>["steps"][number],
  ): Promise<void> {
    const title = `${kind}: ${name}`;
    if (waits) {
      const allowed = await rotation.refusedUntil(kind, lines);
      say(`${title}: refused until ${allowed.toISOString()}`);
      await sleepUntil(allowed);
    }
    say(`${title}: ${JSON.stringify(lines)}`);
    load.mark(title);
    await rotation.deploy(kind, lines);
    await watcher.settled();
    load.outputs = await readOutputs();
    await sleep(settle);
    load.mark(`${title}, after`);
    await sleep(10_000);
    const { signaturesBy, sign, verify } = load.phase(`${title}, after`);
    say(`${title}: done; by ${field} ${JSON.stringify(signaturesBy[field])}`);
    expect(Object.keys(signaturesBy[field])).toEqual([issues]);
    expect([sign.failed, verify.failed]).toEqual([0, 0]);
  }

  test.each(rotated)("a whole life of the next $kind", async (what) => {
    const { next, steps } = nextLife(rotation.lines(what.kind));
    for (const step of steps) await takeStep(what, step);
    const { records } = await readOutputs();
    expect(Object.keys(records[what.kind])).toContain(next);
    expect(records[what.kind]).toMatchObject(start.records[what.kind]);
    expect(rotation.lines(what.kind)).toEqual(steps.at(-1)?.lines);
  });

  test("the load goes on for a minute and ends", async () => {
    load.mark("a minute after");
    await sleep(minute);
    await load.stop();
    await watcher.stop();
    say(`phases:\n\n${load.table()}\n`);
    expect(load.ended).toEqual([]);
  });

  test("no signature and no verification failed", () => {
    const { sign, verify, failures } = load.report();
    expect(failures).toEqual([]);
    expect([sign.failed, verify.failed]).toEqual([0, 0]);
    // A load that did nothing would not fail either.
    expect(Math.min(sign.ok, verify.ok)).toBeGreaterThan(1_000);
  });

  test("never more than two seconds without a success", () => {
    const { sign, verify } = load.report();
    expect(sign.longestGap).toBeLessThanOrEqual(2_000);
    expect(verify.longestGap).toBeLessThanOrEqual(2_000);
  });

  test("servers rolled, each with at least fifty signatures on the way", () => {
    // The probe serves nobody: its one pod goes before the next one comes.
    const servers = watcher.rolls.filter(({ deployment }) => !deployment.endsWith("/prober"));
    const rolls = servers.map((roll) => ({ roll, signed: load.report(roll).sign.ok }));
    const lines = rolls.map(
      ({ roll, signed }) =>
        `${roll.deployment} at ${new Date(roll.from).toISOString()}: ${signed} signatures in ` +
        `${((roll.to - roll.from) / 1000).toFixed(1)} s`,
    );
    say(`rolls:\n    ${lines.join("\n    ")}`);
    const names = new Set(servers.map(({ deployment }) => deployment.replace(/^.*\//, "")));
    expect([...names]).toEqual(expect.arrayContaining(["ctlog", "fulcio-server"]));
    expect(lines.filter((_, index) => rolls[index]!.signed < 50)).toEqual([]);
  });

  test("the timestamp was renewed under way, and no client saw an older one", () => {
    const seen = new Map<string, number[]>();
    for (const { worker, tuf } of load.operations())
      if (tuf !== undefined) seen.set(worker, [...(seen.get(worker) ?? []), tuf.timestamp]);
    expect(seen.size).toBe(6);
    for (const versions of seen.values()) {
      expect(versions.filter((version, index) => version < (versions[index - 1] ?? 0))).toEqual([]);
      expect(new Set(versions).size).toBeGreaterThan(5);
    }
  });

  test("a client that knows root 1 alone reaches all that is trusted", async () => {
    const { records } = await readOutputs();
    const mirror = await openMirror(
      { url: start.mirror.url, initialRoot: start.initialRoot },
      join(folder, "mirror"),
    );
    const root = TrustedRoot.fromJSON(JSON.parse(await mirror.target("trusted_root.json")));
    expect(root.certificateAuthorities).toHaveLength(Object.keys(records.fulcioCa).length);
    expect(root.ctlogs.map(({ logId }) => logId?.keyId.toString("base64"))).toEqual(
      Object.values(records.ctLog).map(({ logId }) => logId),
    );
  });

  test.each(["cosign", "js"] as const)(
    "an old bundle of %s verifies, with a fresh and with the oldest cache",
    async (maker) => {
      const bundle = join(folder, `${maker}.json`);
      await writeFile(bundle, oldBundles[maker]);
      const fresh = { cosign: await Cosign.initialize(stack), js: await SigstoreJs.start(stack) };
      for (const { cosign, js } of [fresh, oldest]) {
        const args = [join(folder, "blob"), "--bundle", bundle, ...as(identity)];
        const { stderr } = await cosign.run("verify-blob", ...args);
        expect(stderr).toMatch(/Verified OK/);
        await js.verify(blob, oldBundles[maker], identity);
      }
      await Promise.all([fresh.cosign.dispose(), fresh.js.dispose()]);
    },
  );

  test("nothing else changed, and anchorhold verify passes", async () => {
    const now = await readOutputs();
    for (const kind of ["rekor", "tsa", "tufRoot", "tufOnline"] as const)
      expect(now.records[kind]).toEqual(start.records[kind]);
    expect(now.initialRoot).toBe(start.initialRoot);
    const outputs = join(folder, "outputs.json");
    await writeFile(outputs, JSON.stringify(now));
    const { code, stdout } = await anchorholdVerify("--outputs", outputs);
    expect(stdout).toMatch(/0 failed/);
    expect(code).toBe(0);
  });
});
