import { X509Certificate } from "node:crypto";
import type { fulcioSecretKeys } from "../../../infra/scaffold/names.ts";
import type { FulcioCaRecord } from "../../../infra/trust/records.ts";
import { certificateFingerprint } from "../../verify/certificates.ts";
import { spkiFingerprint } from "../collect/keys.ts";
import type { SecretFacts } from "../evidence.ts";
import { seen } from "./rules.ts";
import type { SecretFault } from "./fault.ts";

/**
 * Fulcio's Secret: the recorded chain, and the key of its first certificate. Another CA with its own
 * key is one fault (what the chart's createcerts does), a key that cannot be read one more.
 */
export function fulcioSecret(
  { entries }: SecretFacts,
  record: FulcioCaRecord | undefined,
  names: typeof fulcioSecretKeys,
): SecretFault[] {
  if (record === undefined) return [];
  const [chain, key] = [entries[names.chain], entries[names.privateKey]];
  const recorded = spkiFingerprint(new X509Certificate(record.chain[0] ?? "").publicKey);
  const expected = record.chain.map(certificateFingerprint).join();
  const seenChain = chain?.type === "certificates" ? chain.fingerprints.join() : undefined;
  // Beside another CA another key is no fault of its own.
  const fits = key?.type === "key" && (key.fingerprint === recorded || seenChain !== expected);
  return [
    ...(seenChain === expected ? [] : [replaced(seenChain, record)]),
    ...(fits ? [] : [keyChanged(key?.type === "key")]),
  ];
}

function replaced(seenChain: string | undefined, { generation }: FulcioCaRecord): SecretFault {
  const what = seenChain === undefined ? "no readable certificate" : "another CA";
  return {
    id: "fulcio-ca-replaced",
    users: [seen.ctl, "failed to verify leaf certificate"],
    cause:
      `The Secret holds ${what} instead of the recorded one of generation ${generation}, which the ` +
      "CT log accepts and TUF publishes.",
  };
}

function keyChanged(readable: boolean): SecretFault {
  return {
    id: "fulcio-key-changed",
    users: ["getting key from Fulcio: connection refused"],
    cause: readable
      ? "The private key in the Secret is not the CA's: Fulcio does not start with it."
      : "The private key in the Secret is no key any more: Fulcio does not start with it.",
  };
}
