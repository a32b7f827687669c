// On a healthy stack no alert fires: half an hour, in which a CA and a CT log live their whole life.
import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ruleGroups } from "../../infra/platform/monitoring/rules.ts";
import { tufNamespace } from "../../infra/scaffold/names.ts";
import { ensurePromtool, judge } from "../support/promtool.ts";
import { nextLife } from "./support/life.ts";
import { adminKubeconfig } from "./support/node.ts";
import { Watch } from "./support/prober.ts";
import { Rotation, sleepUntil } from "./support/rotation.ts";
import { describeStack } from "./support/stack.ts";

/** A lead time that a test can wait for, and rounds that miss nothing. */
const settings = { leadTime: "90s", probe: { every: "10s" } };
const watched = 30 * 60;
/** Seconds between two fetches. */
const every = 5;

const begun = Date.now();
const say = (line: string) =>
  process.stderr.write(`  ${Math.round((Date.now() - begun) / 1000)}s  ${line}\n`);

await describeStack("the alert rules on a healthy stack", ({ outputs }) => {
  const rotation = new Rotation(settings);
  let promtool: string;
  let watch: Watch;

  beforeAll(async () => {
    promtool = await ensurePromtool();
    await rotation.begin();
    const config = new KubeConfig();
    config.loadFromFile(adminKubeconfig());
    watch = new Watch(config, tufNamespace(outputs.prefix), every);
    await watch.until("the first round", () => watch.rounds > 0);
  });
  afterAll(async () => {
    await watch?.stop();
    await rotation.restore();
  });

  test.each(["fulcioCa", "ctLog"])("a whole life of the next %s", async (kind) => {
    for (const { name, lines, waits } of nextLife(rotation.lines(kind)).steps) {
      if (waits) await sleepUntil(await rotation.refusedUntil(kind, lines));
      say(`${kind}: ${name}`);
      await rotation.deploy(kind, lines);
    }
  });

  test("no alert fires over half an hour, these rotations included", async () => {
    await sleep(Math.max(0, watched - watch.at) * 1000);
    await watch.stop();
    const { recording, start } = watch;
    const fetched = recording.length;
    say(`${fetched} pages, ${watch.rounds} rounds since the probe's last start`);
    expect(fetched).toBeGreaterThan((0.9 * watched) / every);
    const nothing = Array.from({ length: fetched }, (_, index) => ({
      ...{ at: index * every, firing: [] },
    }));
    const rules = ruleGroups(outputs.prefix);
    const { code, output } = await judge(promtool, rules, { recording, start, every }, nothing);
    expect(code, output).toBe(0);
  });
});
