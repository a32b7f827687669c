import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Load } from "./support/load/load.ts";
import type { Operation } from "./support/load/operation.ts";
import { startProxy, type CuttableProxy } from "./support/outage.ts";
import { SigstoreJs } from "./support/js.ts";
import { describeStack } from "./support/stack.ts";

// A load that sees no failure proves nothing unless it would see one: here the mirror is away.
await describeStack("the load sees an outage, and only the outage", (stack) => {
  const log = join(tmpdir(), `anchorhold-load-test-${process.pid}.jsonl`);
  const { outputs } = stack;
  let proxy: CuttableProxy;
  let load: Load;

  beforeAll(async () => {
    proxy = await startProxy(outputs.mirror.url);
    const mirror = { ...outputs.mirror, url: proxy.url, rootUrl: `${proxy.url}/1.root.json` };
    const js = await SigstoreJs.start(stack);
    const blob = Buffer.from("from before the load");
    const oldBundles = [{ blob, bundle: await js.sign(blob) }];
    await js.dispose();
    load = await Load.start({
      outputs: { ...outputs, mirror },
      cosign: stack.cosign,
      signers: 2,
      verifiers: 2,
      oldBundles,
      log,
    });
    await sleep(4_000);
    load.mark("outage");
    proxy.cut(true);
    await sleep(4_000);
    proxy.cut(false);
    // What began in the outage ends in it.
    await sleep(2_000);
    load.mark("back");
    await sleep(4_000);
    await load.stop();
  });
  afterAll(async () => {
    await load.stop();
    await proxy.close();
    await rm(log, { force: true });
  });

  const failed = (of: readonly Operation[]) =>
    new Set(of.filter(({ ok }) => !ok).map(({ client, kind }) => `${kind} with ${client}`));

  test.each(["start", "back"])("nothing fails in phase %s", (phase) => {
    const { sign, verify, failures } = load.phase(phase);
    expect(failures).toEqual([]);
    expect(sign.ok).toBeGreaterThan(8);
    expect(verify.ok).toBeGreaterThan(8);
  });

  test("every client fails in the outage, signing and verifying", () => {
    const { sign, verify, failures } = load.phase("outage");
    expect([...failed(load.operations())].sort()).toEqual([
      "sign with cosign",
      "sign with sigstore-js",
      "verify with cosign",
      "verify with sigstore-js",
    ]);
    expect(failures).toHaveLength(sign.failed + verify.failed);
    expect(sign.longestGap).toBeGreaterThanOrEqual(3_500);
    expect(verify.longestGap).toBeGreaterThanOrEqual(3_500);
  });

  test("every signature's makers are recorded generations", () => {
    const { sign, signaturesBy } = load.report();
    for (const [field, kind] of [
      ["ca", "fulcioCa"],
      ["ctLog", "ctLog"],
      ["rekor", "rekor"],
    ] as const) {
      const by = signaturesBy[field];
      expect(Object.keys(outputs.records[kind])).toEqual(expect.arrayContaining(Object.keys(by)));
      expect(Object.values(by).reduce((a, b) => a + b, 0)).toBe(sign.ok);
    }
  });

  test("verifiers check recent and old bundles, and every client says which metadata it has", () => {
    const good = load.operations().filter(({ ok }) => ok);
    const kinds = new Set(good.map(({ kind, bundle, client }) => [kind, bundle, client].join(" ")));
    expect([...kinds].sort()).toEqual([
      "sign  cosign",
      "sign  sigstore-js",
      "verify old cosign",
      "verify old sigstore-js",
      "verify recent cosign",
      "verify recent sigstore-js",
    ]);
    expect(good.filter(({ tuf }) => (tuf?.timestamp ?? 0) < 1)).toEqual([]);
  });

  test("no worker ended by itself", () => expect(load.ended).toEqual([]));
});
