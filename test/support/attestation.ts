import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { RekorWitness } from "@sigstore/sign";
import * as z from "zod";

/** A DSSE pre-authentication encoding: https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md */
function encoded(payloadType: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/**
 * Writes an attestation of its own kind, an entry of type intoto, into a log.
 * @returns the statement and the entry's log index
 */
export async function uploadAttestation(
  rekorUrl: string,
  what: string,
): Promise<{ statement: string; logIndex: string }> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const statement = JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: what, digest: { sha256: "0".repeat(64) } }],
    predicateType: "https://example.com/predicate/v1",
    predicate: { what },
  });
  const payload = Buffer.from(statement);
  const payloadType = "application/vnd.in-toto+json";
  const sig = sign("sha256", encoded(payloadType, payload), privateKey);
  const witness = new RekorWitness({ rekorBaseURL: rekorUrl, entryType: "intoto", retry: 0 });
  const { tlogEntries = [] } = await witness.testify(
    {
      $case: "dsseEnvelope",
      dsseEnvelope: { payload, payloadType, signatures: [{ keyid: "", sig }] },
    },
    publicKey.export({ type: "spki", format: "pem" }) as string,
  );
  return { statement, logIndex: tlogEntries[0]!.logIndex };
}

const entries = z.record(
  z.string(),
  z.looseObject({ attestation: z.looseObject({ data: z.string().optional() }).optional() }),
);

/** The attestation that a log has kept of an entry; undefined if it has none. */
export async function keptAttestation(
  rekorUrl: string,
  logIndex: string,
): Promise<string | undefined> {
  const answer = await fetch(`${rekorUrl}/api/v1/log/entries?logIndex=${logIndex}`);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
  const [entry] = Object.values(entries.parse(await answer.json()));
  const data = entry?.attestation?.data;
  return data === undefined ? undefined : Buffer.from(data, "base64").toString();
}

/** The UUIDs of the entries that a log's search index has for a statement. */
export async function found(rekorUrl: string, statement: string): Promise<string[]> {
  const hash = `sha256:${createHash("sha256").update(statement).digest("hex")}`;
  const answer = await fetch(`${rekorUrl}/api/v1/index/retrieve`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ hash }),
  });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
  return z.array(z.string()).parse(await answer.json());
}
