import type { Input } from "@pulumi/pulumi";

/** Where Redis keeps the search index; `none` is no index at all. */
export type SearchIndexPlace =
  | { type: "memory" | "none" }
  | { type: "claim"; claim: Input<string> }
  | { type: "external"; host: string; port: number; tls: boolean };

/** Where attestations are kept, if at all. */
export type AttestationPlace =
  { type: "none" } | { type: "claim"; claim: Input<string> } | { type: "bucket"; url: string };

/** Where the claim is mounted: the chart takes the path of the bucket's URL. */
const folder = "/var/run/attestations";

/**
 * Attestations on their claim. The chart's path ends up as the place of the mount, so the bucket's
 * option is not among it but in a flag of its own (the last one counts): without it gocloud's
 * fileblob writes to /tmp first, which is read-only here and elsewhere another file system, and Rekor
 * says nothing of the attestation that it could not keep (pkg/api/entries.go of v1.5.4, level debug).
 */
export function attestationStorage(place: AttestationPlace) {
  switch (place.type) {
    case "none":
      return { values: { enabled: false, persistence: { enabled: false } }, flags: [] };
    case "bucket":
      return {
        values: { enabled: true, bucket: place.url, persistence: { enabled: false } },
        flags: [],
      };
    case "claim":
      return {
        values: {
          enabled: true,
          bucket: `file://${folder}`,
          persistence: { enabled: true, existingClaim: place.claim },
        },
        flags: [`--attestation_storage_bucket=file://${folder}?no_tmp_dir=true`],
      };
  }
}

/** Every endpoint of Rekor v1 but the search. */
const endpoints = [
  ...["getLogInfo", "getPublicKey", "getLogProof", "createLogEntry"],
  ...["getLogEntryByIndex", "getLogEntryByUUID", "searchLogQuery"],
];

/** What the server is told of the search index beyond its address. */
export function searchFlags(place: SearchIndexPlace): string[] {
  if (place.type === "none")
    return ["--enable_retrieve_api=false", `--enabled_api_endpoints=${endpoints.join(",")}`];
  return place.type === "external" && place.tls ? ["--redis_server.enable-tls=true"] : [];
}
