import { setTimeout as sleep } from "node:timers/promises";
import { fromEnvironment, type Expectation } from "../../infra/observe/expectation.ts";
import { loadKubeConfig } from "../../infra/observe/kubeconfig.ts";
import { CannotRun, oneLine } from "../errors.ts";
import { checkpoints, faults } from "./replicas.ts";

export interface ObserveOptions {
  /** Seconds to wait for every replica to be as expected. */
  timeout: number;
}

/**
 * `anchorhold observe`: waits until every replica is as the variables EXPECT__… say, and
 * prints when that was seen and how far the logs were: {"at":"…","checkpoints":{…}}. It changes
 * nothing.
 * @throws CannotRun that names each replica that is not as expected when the time is over
 */
export async function observe(
  options: ObserveOptions,
  print: (line: string) => void,
): Promise<void> {
  const expected = fromEnvironment(process.env);
  const config = loadKubeConfig({ context: expected.context });
  const deadline = Date.now() + options.timeout * 1000;
  for (;;) {
    const found = await faults(config, expected).catch((error: unknown) => [oneLine(error)]);
    if (found.length === 0) break;
    if (Date.now() > deadline) throw notAsExpected(expected, found, options.timeout);
    await sleep(500);
  }
  const at = `${new Date().toISOString().slice(0, 19)}Z`;
  print(
    JSON.stringify({
      at,
      checkpoints: await checkpoints(config, Object.values(expected.logs ?? {})),
    }),
  );
}

function notAsExpected(
  { before }: Expectation,
  found: readonly string[],
  seconds: number,
): CannotRun {
  return new CannotRun(
    `Not seen on every replica within ${seconds} s, so the update stops before this: ${before}. ` +
      `${found.join("; ")}. What was there before goes on serving. Mend it (anchorhold doctor ` +
      "names causes) and run pulumi up again.",
  );
}
