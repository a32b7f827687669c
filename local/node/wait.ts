import { setTimeout as sleep } from "node:timers/promises";
import { LocalError } from "../errors.ts";
import { livingRecord, logPath, logTail } from "./processes.ts";

/**
 * Waits until `check` gives undefined; what it gives otherwise says what is still missing.
 * A component whose process has ended fails at once.
 *
 * @param name the component whose log explains a failure
 * @throws LocalError with the component, what was missing, its last log lines and the log's path
 */
export async function waitFor(
  name: string,
  check: () => Promise<string | undefined>,
  limitMs: number,
): Promise<void> {
  const end = Date.now() + limitMs;
  for (;;) {
    const missing = await check();
    if (missing === undefined) return;
    const ended = livingRecord(name) === undefined;
    if (ended || Date.now() > end) {
      const what = ended ? "has ended by itself" : `is not ready after ${limitMs / 1000} s`;
      throw new LocalError(
        `The local node's ${name} ${what} (${missing}). The end of ${logPath(name)}:\n` +
          `${logTail(name)}\nRepeat the command to go on from here; npm run down clears it away.`,
      );
    }
    await sleep(100);
  }
}
