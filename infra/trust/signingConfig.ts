import type { Service } from "@sigstore/protobuf-specs";
import { ServiceSelector, SigningConfig } from "@sigstore/protobuf-specs";
import { openSince, toText } from "./trustedRoot.ts";

/**
 * `signing_config.v0.2.json` (protobuf-specs, sigstore_trustroot.proto). Every client selects
 * differently among several services, so there is one operator and one service of each kind, and
 * the selector is ANY: the one shape on which all of them agree.
 *
 * @param args.fulcio base URL
 * @param args.oidcIssuer where people sign in; only this one is listed, because clients disagree
 *   about which of several to take
 * @param args.rekor base URL and start (RFC 3339) of the log that takes new entries
 * @param args.tsa base URL; the published one is the full RFC 3161 endpoint, as clients want it
 * @param args.start since when Fulcio and the issuer serve; in the past
 */
export function signingConfig(args: {
  fulcio: string;
  oidcIssuer: string;
  rekor: { url: string; start: string };
  tsa: { url: string; start: string };
  start: string;
  operator: string;
}): string {
  const service = (url: string, start: string): Service => ({
    url,
    majorApiVersion: 1,
    validFor: openSince(start),
    operator: args.operator,
  });
  const any = { selector: ServiceSelector.ANY, count: 0 };
  const message: SigningConfig = {
    mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    caUrls: [service(noSlash(args.fulcio), args.start)],
    oidcUrls: [service(args.oidcIssuer, args.start)],
    rekorTlogUrls: [service(noSlash(args.rekor.url), args.rekor.start)],
    rekorTlogConfig: any,
    tsaUrls: [service(`${noSlash(args.tsa.url)}/api/v1/timestamp`, args.tsa.start)],
    tsaConfig: any,
  };
  return toText(SigningConfig.toJSON(message) as object);
}

function noSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
