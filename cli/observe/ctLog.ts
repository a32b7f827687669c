import * as z from "zod";
import type { Expectation } from "../../infra/observe/expectation.ts";
import { getJson } from "../../infra/observe/http.ts";
import { certificateFingerprint, short } from "../verify/certificates.ts";

const roots = z.object({ certificates: z.array(z.string()) });

/**
 * Why a CT log replica is not as expected (RFC 6962, section 4.7: get-roots of each prefix);
 * undefined when it is.
 * @param base `http://HOST:PORT` of the replica
 */
export async function ctLogFault(
  expected: NonNullable<Expectation["ctLog"]>,
  base: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const wanted = Object.values(expected.roots).sort();
  for (const prefix of expected.prefixes.split(" ")) {
    const url = `${base}/${prefix}/ct/v1/get-roots`;
    const { certificates } = roots.parse(await getJson(url, signal));
    const seen = certificates
      .map((der) => certificateFingerprint(Buffer.from(der, "base64")))
      .sort();
    if (seen.join() !== wanted.join())
      return `${prefix} accepts ${short(seen) || "no CA"}, expected ${short(wanted)}`;
  }
  return undefined;
}
