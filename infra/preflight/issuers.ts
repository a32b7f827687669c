import * as z from "zod";
import { isInCluster, isWildcard } from "../config/issuerUrls.ts";
import { discoveryUrl, type DiscoveryAnswer } from "../observe/discovery.ts";

/** What was found out about an issuer before anything is registered. */
export type Judgement =
  { result: "good" } | { result: "silent"; why: string } | { result: "wrong"; why: string };

/** OpenID Connect Discovery 1.0, section 3: what Fulcio reads. */
const discoveryDocument = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** Somebody answered for the issuer that it cannot answer now, or not to us. */
const passing = [401, 403, 408, 425, 429];

/**
 * Whether the machine that deploys can ask an issuer. A wildcard stands for many, and in the cluster
 * pods alone know the names of Services.
 */
export const canBeAsked = (issuer: string): boolean => !isWildcard(issuer) && !isInCluster(issuer);

/** Whether Fulcio could work with what an issuer answered. */
export function judge(issuer: string, answer: DiscoveryAnswer): Judgement {
  if (answer.found === "nothing") return { result: "silent", why: answer.said };
  const { status, host, text } = answer;
  if (status >= 500 || passing.includes(status)) return { result: "silent", why: `HTTP ${status}` };
  const why = wrong(issuer, status, host, text);
  return why === undefined ? { result: "good" } : { result: "wrong", why };
}

function wrong(issuer: string, status: number, host: string, text: string): string | undefined {
  const url = discoveryUrl(issuer);
  const asked = new URL(issuer).host;
  if (host !== asked)
    return `${url} leads to ${host}, which Fulcio does not follow: name the issuer by the host that answers`;
  if (status !== 200) return `${url} answers HTTP ${status}: no issuer is at this URL`;
  const document = parsed(text);
  if (document === undefined) return `${url} answers no JSON: no issuer is at this URL`;
  const read = discoveryDocument.safeParse(document);
  if (!read.success) {
    const field = String(read.error.issues[0]?.path[0] ?? "issuer");
    return `the document at ${url} has no ${field === "jwks_uri" ? "URL as jwks_uri, so no keys" : "issuer"}`;
  }
  if (read.data.issuer !== issuer)
    return (
      `the document at ${url} is that of ${read.data.issuer}. Tokens have that name, and Fulcio takes ` +
      "no other, not even with a slash more or less: write it as the document does"
    );
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
