// A key may have been stolen: what it made from that time on counts no more, what it made before
// still does, and everybody goes on signing with the next generation meanwhile.
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { as, Cosign } from "./support/cosign.ts";
import { SigstoreJs } from "./support/js.ts";
import { nextLife } from "./support/life.ts";
import { Load } from "./support/load/load.ts";
import type { Makers } from "./support/load/operation.ts";
import { Rotation } from "./support/rotation.ts";
import { describeStack, probeIdentity, readOutputs, type Identity } from "./support/stack.ts";

const leadTime = 20_000;

const rotated = [
  { kind: "fulcioCa", field: "ca" },
  { kind: "ctLog", field: "ctLog" },
] as const satisfies { kind: string; field: keyof Makers }[];

await describeStack("a generation that is distrusted under load", (stack) => {
  const rotation = new Rotation({ leadTime: `${leadTime / 1000}s` });
  const blob = randomBytes(64);
  let folder: string;
  let identity: Identity;
  let client: { cosign: Cosign; js: SigstoreJs };
  let load: Load;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "anchorhold-distrusted-"));
    await writeFile(join(folder, "blob"), blob);
    identity = await probeIdentity(stack.outputs);
    client = { cosign: await Cosign.initialize(stack), js: await SigstoreJs.start(stack) };
    await rotation.begin();
    const log = join(tmpdir(), "anchorhold-distrusted.jsonl");
    load = await Load.start({ outputs: stack.outputs, cosign: stack.cosign, log });
  });
  afterAll(async () => {
    await load.stop();
    await rotation.restore();
    await Promise.all([client.cosign.dispose(), client.js.dispose()]);
    await rm(folder, { recursive: true });
  });

  /** By cosign, as a file; both clients are asked. */
  async function signed(name: string): Promise<string> {
    const path = join(folder, name);
    await client.cosign.sign("sign-blob", join(folder, "blob"), "--bundle", path);
    return path;
  }

  async function verdicts(path: string): Promise<boolean[]> {
    const args = ["verify-blob", join(folder, "blob"), "--bundle", path, ...as(identity)];
    const { code } = await client.cosign.run(...args);
    const bundle = await readFile(path, "utf8");
    const byJs = await client.js.verify(blob, bundle, identity).then(
      () => true,
      () => false,
    );
    return [code === 0, byJs];
  }

  test.each(rotated)("of $kind: its signatures count until then", async ({ kind, field }) => {
    const { next, steps } = nextLife(rotation.lines(kind));
    const [announce, activate] = steps;
    const stolen = String(Number(next) - 1);
    await rotation.deploy(kind, announce!.lines);
    load.outputs = await readOutputs();
    await sleep(leadTime);

    const before = await signed(`${kind}-before.json`);
    await sleep(2_000);
    const since = new Date();
    await sleep(2_000);
    const after = await signed(`${kind}-late.json`);
    await rotation.deploy(kind, activate!.lines);
    expect(await verdicts(before)).toEqual([true, true]);
    expect(await verdicts(after)).toEqual([true, true]);

    // Verifiers choose among the newest: none is left of those that will count no more.
    await sleep(10_000);
    const distrusted = { distrusted: since.toISOString() };
    await rotation.deploy(kind, { ...activate!.lines, [stolen]: distrusted });
    load.mark(`${kind} distrusted`);
    expect(await verdicts(before)).toEqual([true, true]);
    expect(await verdicts(after)).toEqual([false, false]);

    await sleep(10_000);
    const { signaturesBy, sign } = load.phase(`${kind} distrusted`);
    expect(Object.keys(signaturesBy[field])).toEqual([next]);
    expect(sign.ok).toBeGreaterThan(10);
    await expect(rotation.deploy(kind, activate!.lines)).rejects.toThrow(
      /distrusted.*cannot\s+step\s+back/s,
    );
  });

  test("no signature and no verification failed", async () => {
    await load.stop();
    const { sign, verify, failures } = load.report();
    process.stderr.write(`  signed ${sign.ok}, verified ${verify.ok}, failed ${failures.length}\n`);
    expect(failures).toEqual([]);
    expect(Math.min(sign.ok, verify.ok)).toBeGreaterThan(100);
    expect(load.ended).toEqual([]);
  });
});
