import { oneLine } from "./errors.ts";

/** What a token issuer answered when it was asked for its discovery document. */
export type DiscoveryAnswer =
  | { found: "nothing"; said: string }
  | { found: "answer"; status: number; text: string; host: string };

/** Enough for any issuer; Fulcio waits for twice as long. */
const limitMs = 5_000;

/**
 * Where an issuer's discovery document is (OpenID Connect Discovery 1.0, section 4): Fulcio and
 * cosign ask there, with or without a slash at the issuer's end.
 */
export const discoveryUrl = (issuer: string): string =>
  `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;

/** Asks an issuer for its discovery document, following redirects. It takes five seconds at most. */
export async function askIssuer(issuer: string, timeoutMs = limitMs): Promise<DiscoveryAnswer> {
  try {
    const response = await fetch(discoveryUrl(issuer), { signal: AbortSignal.timeout(timeoutMs) });
    const { status, url } = response;
    return { found: "answer", status, text: await response.text(), host: new URL(url).host };
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    const said = isLate ? `no answer within ${timeoutMs / 1000} s` : oneLine(error);
    return { found: "nothing", said };
  }
}
