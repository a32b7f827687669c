import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { ensureProgram } from "../../local/tools/gobuild.ts";
import { promtool } from "../../local/tools/programs.ts";
import type { Recording } from "./recording.ts";

/** Which alerts must fire at a time, and no others. */
export interface Expected {
  /** Seconds since the recording's first page. */
  at: number;
  firing: readonly string[];
  /** The one alert that is looked at; all if left out. */
  only?: string;
}

/** Prometheus' own tool, built if it is not there yet, which takes some minutes. */
export const ensurePromtool = (): Promise<string> =>
  ensureProgram(promtool, (text) => process.stderr.write(`  ${text}\n`));

/** @returns exit code and all that it printed */
export function runPromtool(path: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(path, args, { encoding: "utf8" });
  return { code: status, output: `${stdout}${stderr}` };
}

const matcher = (alert: string | undefined) =>
  alert === undefined ? "" : `, alertname="${alert}"`;

/**
 * Has Prometheus' rule engine judge what was recorded.
 * @param rules a rule file, as an object
 * @param start of the recording, and `every` the seconds from one page to the next
 */
export async function judge(
  path: string,
  rules: object,
  { recording, start, every }: { recording: Recording; start: Date; every: number },
  expected: readonly Expected[],
): Promise<{ code: number | null; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), "anchorhold-rules-"));
  try {
    const names = { rules: join(folder, "rules.yaml"), test: join(folder, "test.yaml") };
    // JSON is YAML.
    await writeFile(names.rules, JSON.stringify(rules));
    const test = {
      rule_files: [names.rules],
      evaluation_interval: `${every}s`,
      tests: [
        {
          interval: `${every}s`,
          start_timestamp: start.toISOString(),
          input_series: recording.series(),
          promql_expr_test: expected.map(({ at, firing, only }) => ({
            expr: `group by (alertname) (ALERTS{alertstate="firing"${matcher(only)}})`,
            eval_time: `${at}s`,
            exp_samples: firing.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
          })),
        },
      ],
    };
    await writeFile(names.test, JSON.stringify(test));
    return runPromtool(path, ["test", "rules", names.test]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
