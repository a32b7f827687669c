import { externalOf, type Database } from "./database.ts";
import type { Proxy } from "./proxy.ts";
import type { Attestations, SearchIndex } from "./rekorData.ts";

/** How servers get out of the cluster; what is left out is not needed. */
export interface WayOut {
  /** CA certificates in PEM that are trusted beside the image's own. */
  caBundle?: string | undefined;
  proxy?: Proxy | undefined;
}

/** Trillian's: to a database whose certificate is held against the authorities that the image knows. */
export function trillianWayOut(database: Database, { caBundle }: WayOut): WayOut {
  return externalOf(database)?.tls?.ca === "system" ? { caBundle } : {};
}

/** Rekor's: to Redis by TLS, and to a bucket by HTTPS, which in most networks is behind the proxy. */
export function rekorWayOut(
  data: { searchIndex: SearchIndex; attestations: Attestations },
  { caBundle, proxy }: WayOut,
): WayOut {
  const { searchIndex, attestations } = data;
  const asksBucket = typeof attestations === "object" && "bucket" in attestations;
  const asksRedis =
    typeof searchIndex === "object" && "external" in searchIndex && searchIndex.external.tls;
  return {
    ...(asksBucket || asksRedis ? { caBundle } : {}),
    ...(asksBucket ? { proxy } : {}),
  };
}
