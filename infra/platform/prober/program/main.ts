// Signs, verifies and compares the logs with what they were, round after round, and serves what it
// found as metrics: the program of the pod `prober`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { oneLine } from "../../../observe/errors.ts";
import { ConfigMapClient } from "../../tuf/program/configMap.ts";
import { Remembering } from "./memory.ts";
import { Board } from "./metrics.ts";
import type { Outcome } from "./outcome.ts";
import { round } from "./round.ts";
import type { Scene } from "./scene.ts";
import { serve } from "./server.ts";
import { metricsPort, places, settingsFile, settingsSchema } from "./settings.ts";

function report(outcomes: readonly Outcome[]): void {
  const failed = outcomes.filter(({ result }) => result === "failed");
  for (const { check, reason } of failed) console.error(`${check} failed: ${reason ?? ""}`);
  const seconds = Math.max(...outcomes.map((outcome) => outcome.seconds)).toFixed(1);
  const passed = outcomes.filter(({ result }) => result === "passed").length;
  console.log(`round: ${passed} passed, ${failed.length} failed, the slowest took ${seconds} s`);
}

async function main(): Promise<never> {
  const { values } = parseArgs({ options: { every: { type: "string" } } });
  const file = join(places.settings, settingsFile);
  const settings = settingsSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const every = Number(values.every ?? settings.every);
  if (!(every > 0)) throw new Error(`--every ${values.every}: must be seconds`);
  const { namespace, name } = settings.memory;
  const access = { server: "kubernetes.default.svc", account: places.account };
  const board = new Board({ stack: settings.stack });
  const scene: Scene = {
    ...{ settings, board, folder: places.scratch, trust: undefined },
    memory: new Remembering(new ConfigMapClient(access, namespace, name, "anchorhold-probe")),
    // Read for each round: Kubernetes renews it.
    token: () => readFileSync(join(places.account, "identity"), "utf8").trim(),
  };
  board.set("anchorhold_probe_interval_seconds", every);
  board.set("anchorhold_tuf_timestamp_life_seconds", settings.timestampLife);
  serve(board, every, new Date()).listen(metricsPort);
  for (;;) {
    const next = Date.now() + every * 1000;
    report(await round(scene));
    await sleep(Math.max(0, next - Date.now()));
  }
}

// The first process of a container has no default for signals.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));

main().catch((error: unknown) => {
  console.error(oneLine(error));
  process.exit(1);
});
