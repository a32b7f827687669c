import { setTimeout as sleep } from "node:timers/promises";
import type { StackOutputs } from "../../infra/outputs.ts";
import { oneLine } from "../errors.ts";
import { ctLogChecks } from "./ctlog.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { fulcioChecks } from "./fulcio.ts";
import { rekorChecks } from "./rekor.ts";
import { signingChecks } from "./signing.ts";
import { tsaChecks } from "./tsa.ts";
import { tufChecks } from "./tuf.ts";

/** Every check of a stack, service by service, in the order in which they are reported. */
export function allChecks(outputs: StackOutputs): Check[] {
  return [
    ...tufChecks,
    ...fulcioChecks,
    ...ctLogChecks(outputs),
    ...rekorChecks(outputs),
    ...tsaChecks,
    ...signingChecks(),
  ];
}

/**
 * Runs the checks and returns one finding each, in the given order. Signing goes first, so that
 * an empty log has an entry to prove; the rest runs side by side. A check that throws or takes
 * longer than the limit is a failed finding and stops no other.
 */
export async function runChecks(
  checks: readonly Check[],
  context: Omit<Context, "signal">,
  limitMs: number,
): Promise<Finding[]> {
  const results = new Map<Check, Finding>();
  const run = async (check: Check) => {
    results.set(check, await runCheck(check, context, limitMs));
  };
  for (const check of checks.filter(({ service }) => service === "signing")) await run(check);
  await Promise.all(checks.filter(({ service }) => service !== "signing").map(run));
  return checks.flatMap((check) => results.get(check) ?? []);
}

async function runCheck(
  check: Check,
  context: Omit<Context, "signal">,
  limitMs: number,
): Promise<Finding> {
  const place = { service: check.service, check: check.title };
  const cancel = new AbortController();
  const limit = sleep(limitMs, undefined, { signal: cancel.signal }).then(() => {
    throw new TimeIsUp(`no answer within ${limitMs / 1000} s`);
  });
  try {
    const verdict = await Promise.race([check.run({ ...context, signal: cancel.signal }), limit]);
    return { ...place, ...verdict, ...(verdict.result === "ok" ? {} : { hint: check.hint }) };
  } catch (error) {
    return {
      ...place,
      result: "fail",
      seen: oneLine(error),
      expected: check.expected ?? "an answer",
      hint: connectionHint(error) ?? check.hint,
    };
  } finally {
    cancel.abort();
    limit.catch(() => {});
  }
}

const unreachable =
  "See that the service's pods run (kubectl get pods -A) and that this machine reaches the address.";

class TimeIsUp extends Error {}

const untrusted =
  "The certificate is of a CA that this machine does not know: name it in anchorhold:caBundle and run " +
  "pulumi up, or in NODE_EXTRA_CA_CERTS. See docs/corporate-network.md.";

/** OpenSSL's verdicts on who issued a certificate, as Node names them. */
const unknownIssuer = /^(UNABLE_TO_(VERIFY|GET_ISSUER)|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED)/;
const noAnswer = /^(ECONN|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|EPIPE|UND_ERR)/;

/** What to do where the error, or what caused it, says that no connection was made. */
function connectionHint(error: unknown): string | undefined {
  if (error instanceof TimeIsUp) return unreachable;
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code === "string" && unknownIssuer.test(code)) return untrusted;
  if (typeof code === "string" && noAnswer.test(code)) return unreachable;
  return cause === undefined ? undefined : connectionHint(cause);
}
