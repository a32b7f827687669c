import { RFC3161Timestamp } from "@sigstore/core";
import { TSAWitness } from "@sigstore/sign";

/**
 * A timestamp of these bytes (RFC 3161).
 * @param tsaBaseURL without `/api/v1/timestamp`
 * @throws {Error} when the TSA does not answer within ten seconds
 */
export async function timestampOver(
  signature: Buffer,
  tsaBaseURL: string,
): Promise<RFC3161Timestamp> {
  const witness = new TSAWitness({ tsaBaseURL, timeout: 10_000, retry: 0 });
  const material = await witness.testify({
    $case: "messageSignature",
    messageSignature: { messageDigest: undefined, signature },
  } as unknown as Parameters<TSAWitness["testify"]>[0]);
  const [first] = material.rfc3161Timestamps ?? [];
  if (first === undefined) throw new Error("the TSA returned no timestamp");
  return RFC3161Timestamp.parse(Buffer.from(first.signedTimestamp));
}

/** The signer's serial number as Node prints it: upper-case hex, no leading zero bytes of ASN.1. */
export function signerSerial({ signerSerialNumber }: RFC3161Timestamp): string {
  return signerSerialNumber
    .toString("hex")
    .toUpperCase()
    .replace(/^(00)+(?=.)/, "");
}
