// What the probe finds when the stack breaks under it, and that the alert rules fire over what
// Prometheus would have fetched meanwhile.
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ruleGroups } from "../../infra/platform/monitoring/rules.ts";
import { componentNamespace, rekorNamespace, tufNamespace } from "../../infra/scaffold/names.ts";
import { readTimestamp } from "../../infra/trust/tuf/timestamp.ts";
import { ensurePromtool, judge, type Expected } from "../support/promtool.ts";
import { doctor } from "./support/doctor.ts";
import { expireTimestamp } from "./support/expired.ts";
import { adminKubeconfig } from "./support/node.ts";
import { hurry, Watch, withoutPods } from "./support/prober.ts";
import { dumpOf, loadInstead } from "./support/rollback.ts";
import { describeStack, verifyLocal } from "./support/stack.ts";

/** Seconds between two rounds, and between two fetches. */
const pace = { round: 5, fetch: 2 };

await describeStack("the probe", ({ outputs }) => {
  const { prefix } = outputs;
  const space = {
    tuf: tufNamespace(prefix),
    rekor: rekorNamespace(prefix, outputs.life.rekor.issues),
    trillian: componentNamespace(prefix, "trillian"),
    fulcio: componentNamespace(prefix, "fulcio"),
    ctlog: componentNamespace(prefix, "ctlog"),
    tsa: componentNamespace(prefix, "tsa"),
  };
  const ctLog = `ctlog-${outputs.life.ctLog.issues}`;
  const rekor = `rekor-${outputs.life.rekor.issues}`;
  const expected: Expected[] = [];
  const found: Record<string, { rounds: number; seconds: number }> = {};
  let promtool: string;
  let config: KubeConfig;
  let watch: Watch;
  let calm: (() => Promise<void>) | undefined;

  const isWell = () =>
    ["tuf", "fulcio", "tsa", ctLog, rekor, "sign", "verify", "search", "memory"].every(
      (check) => watch.failedRounds(check) === 0,
    ) &&
    [ctLog, rekor].every((log) => watch.value("anchorhold_log_consistent", ["log", log]) === 1);

  beforeAll(async () => {
    promtool = await ensurePromtool();
    config = new KubeConfig();
    config.loadFromFile(adminKubeconfig());
    calm = await hurry(config, space.tuf, pace.round);
    watch = new Watch(config, space.tuf, pace.fetch);
    await watch.until("the first good round", () => watch.rounds > 0 && isWell());
  }, 1_500_000);

  afterAll(async () => {
    await watch?.stop();
    await calm?.();
  });

  /** @param sees whether the page shows it; @param holds until the alert may be expected */
  async function within(what: string, sees: () => boolean, holds: () => boolean, alert: string) {
    const [rounds, at] = [watch.rounds, watch.at];
    await watch.until(`${what} is seen`, sees);
    found[what] = { rounds: watch.rounds - rounds, seconds: watch.at - at };
    // The round that was under way may have asked already.
    expect(found[what].rounds).toBeLessThanOrEqual(2);
    await watch.until(`${alert} fires`, holds);
    expected.push({ at: watch.at, firing: [alert], only: alert });
  }

  async function recovers() {
    await watch.until("all is well again", isWell);
    expected.push({ at: watch.at, firing: [] });
  }

  test.each([
    ["Fulcio", space.fulcio, "fulcio-server", ["fulcio", "sign"], "AnchorholdFulcioFails"],
    ["Rekor", space.rekor, `${rekor}-server`, [rekor, "sign"], "AnchorholdRekorFails"],
    ["the CT log", space.ctlog, "ctlog", [ctLog, "sign"], "AnchorholdCtLogFails"],
    ["the TSA", space.tsa, "tsa-server", ["tsa", "sign"], "AnchorholdTsaFails"],
    ["the TUF mirror", space.tuf, "tuf-", ["tuf"], "AnchorholdTufFails"],
    ["Redis", space.rekor, `${rekor}-redis`, ["search"], "AnchorholdSearchFails"],
    [
      "the database",
      space.trillian,
      "trillian-mysql",
      [ctLog, rekor, "sign"],
      "AnchorholdLogBackendFails",
    ],
  ] as const)("finds the loss of %s", async (what, namespace, deployment, checks, alert) => {
    const restore = await withoutPods(config, namespace, deployment);
    try {
      const failed = (rounds: number) => () =>
        checks.every((check) => (watch.failedRounds(check) ?? 0) >= rounds);
      await within(what, failed(1), failed(2), alert);
    } finally {
      await restore();
    }
    await recovers();
  });

  test("finds a timestamp that has expired", async () => {
    await expireTimestamp(config, outputs);
    const served = async () => {
      const answer = await fetch(`${outputs.mirror.url}/timestamp.json`);
      return readTimestamp(await answer.text())?.expires ?? new Date(NaN);
    };
    // The kubelet brings it to the mirror's pod within about a minute.
    await expect.poll(served, { timeout: 180_000 }).toSatisfy((end: Date) => end < new Date());
    const failed = (rounds: number) => () => (watch.failedRounds("tuf") ?? 0) >= rounds;
    await within("an expired timestamp", failed(1), failed(2), "AnchorholdTimestampExpired");
    // The kubelet takes its time here as well.
    const mended = async () => (await doctor("--fix")).code;
    await expect.poll(mended, { timeout: 180_000, interval: 5_000 }).toBe(0);
    await recovers();
  });

  test("finds a log that was rolled back, also when it grows anew", async () => {
    const old = await dumpOf(config, prefix);
    const before = watch.rounds;
    await watch.until("both logs have grown", () => watch.rounds >= before + 2);
    // Nothing may be signed that the newer dump does not have.
    const signAgain = await withoutPods(config, space.fulcio, "fulcio-server");
    const paused = watch.rounds;
    await watch.until("the probe has seen the last entry", () => watch.rounds >= paused + 2);
    const newest = await dumpOf(config, prefix);
    await loadInstead(config, prefix, old);
    const back = (log: string) => watch.value("anchorhold_log_consistent", ["log", log]) === 0;
    const both = () => back(ctLog) && back(rekor);
    await within("a rolled-back log", both, both, "AnchorholdLogRolledBack");
    await loadInstead(config, prefix, newest);
    await signAgain();
    await recovers();
  });

  test("the alert of each fires by Prometheus' own rules, and none when all is well again", async () => {
    await watch.stop();
    console.table(found);
    expect(Object.keys(found)).toHaveLength(9);
    const { recording, start } = watch;
    const { code, output } = await judge(
      promtool,
      ruleGroups(prefix),
      { recording, start, every: pace.fetch },
      expected,
    );
    expect(code, output).toBe(0);
  });

  describe("afterwards", () => {
    test("the stack verifies", async () => {
      const { code, stdout } = await verifyLocal();
      expect(code, stdout).toBe(0);
    });
  });
});
