import { readTimestamp } from "../../infra/trust/tuf/timestamp.ts";
import { fail, ok, warn, type Check, type Verdict } from "./finding.ts";
import { getText } from "../../infra/observe/http.ts";
import { timestampWarnShare } from "../../infra/observe/horizon.ts";

const hour = 3600;
const day = 24 * hour;

/** Whether the cluster renews timestamp.json; that it is signed well, the walked chain says. */
export const timestampCheck: Check = {
  service: "tuf",
  title: "timestamp",
  hint:
    "The CronJob tuf-timestamp renews it each day; when it expires, clients stop. See why it does " +
    "not run: `kubectl get cronjobs,jobs,pods -A -l app.kubernetes.io/name=tuf-signer`, then " +
    "`kubectl logs` of the newest pod.",
  async run({ outputs, now, signal }) {
    const content = await getText(`${outputs.mirror.url}/timestamp.json`, signal);
    const read = readTimestamp(content);
    if (read === undefined) return fail(content.slice(0, 80), "a timestamp.json");
    return judgeTimestamp(read.expires, now, outputs.tuf.timestampLifeSeconds);
  },
};

/** Whether a timestamp that runs out at `expires` is renewed as it should be. */
export function judgeTimestamp(expires: Date, now: Date, life: number): Verdict {
  const left = (expires.getTime() - now.getTime()) / 1000;
  const seen = left > 0 ? `expires in ${duration(left)}` : `expired ${duration(-left)} ago`;
  if (left <= 0) return fail(seen, "not expired: no client takes this mirror any more");
  const least = life * timestampWarnShare;
  return left >= least ? ok(seen) : warn(seen, `at least ${duration(least)} of ${duration(life)}`);
}

/** The largest unit of which there are two: `3.0 d`, `5.5 h`, `12 min`. */
function duration(seconds: number): string {
  if (seconds >= 2 * day) return `${(seconds / day).toFixed(1)} d`;
  return seconds >= 2 * hour
    ? `${(seconds / hour).toFixed(1)} h`
    : `${Math.floor(seconds / 60)} min`;
}
