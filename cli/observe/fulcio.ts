import type { V1Pod } from "@kubernetes/client-node";
import * as z from "zod";
import type { Expectation } from "../../infra/observe/expectation.ts";
import { getJson } from "../../infra/observe/http.ts";
import { certificateFingerprint, short } from "../verify/certificates.ts";

const trustBundle = z.object({
  chains: z.array(z.object({ certificates: z.array(z.string()) })),
});

/** Fulcio does not tell which CT log it writes to, but its command line does. */
function ctLogUrl(pod: V1Pod): string | undefined {
  const args = pod.spec?.containers.flatMap(({ args = [], command = [] }) => [...command, ...args]);
  return args?.map((arg) => /^--ct-log-url=(.*)$/.exec(arg)?.[1]).find((url) => url !== undefined);
}

/** Why a Fulcio replica is not as expected; undefined when it is. */
export async function fulcioFault(
  expected: NonNullable<Expectation["fulcio"]>,
  pod: V1Pod,
  base: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const url = ctLogUrl(pod);
  if (url !== expected.ctLogUrl)
    return `writes to CT log ${url ?? "(none)"}, expected ${expected.ctLogUrl}`;
  const { chains } = trustBundle.parse(await getJson(`${base}/api/v2/trustBundle`, signal));
  const seen = chains.flatMap(({ certificates }) =>
    certificates.slice(-1).map(certificateFingerprint),
  );
  if (seen.join() === expected.root) return undefined;
  return `issues under ${short(seen) || "no CA"}, expected ${short([expected.root])}`;
}
