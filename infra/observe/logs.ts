import { createPublicKey } from "node:crypto";
import * as z from "zod";
import { verifyCheckpoint } from "./checkpoint.ts";
import { getJson } from "./http.ts";
import { isConsistent } from "./merkle.ts";
import { verifyTreeHead } from "./sth.ts";

/** A log as it is reached inside the cluster. */
export const logTargetSchema = z.strictObject({
  kind: z.enum(["ctLog", "rekor"]),
  /** NAMESPACE/SERVICE:PORT */
  service: z.string(),
  /** What the log signs as: the CT log's prefix, Rekor's host name. */
  origin: z.string(),
  publicKeyPem: z.string(),
  /** Trillian's tree id, decimal. */
  treeId: z.string(),
});
export type LogTarget = z.infer<typeof logTargetSchema>;

/** How far a log is: its number of entries and root hash (hex), signed by the log. */
export interface LogState {
  size: number;
  rootHash: string;
}

const treeHead = z.object({
  tree_size: z.int(),
  timestamp: z.int(),
  sha256_root_hash: z.string(),
  tree_head_signature: z.string(),
});
const logInfo = z.object({ signedTreeHead: z.string(), treeID: z.string() });

/**
 * Asks one replica for its signed checkpoint (RFC 6962, section 4.3; Rekor v1 API).
 * @param base `http://HOST:PORT` of the replica
 * @throws Error when it is another tree or not signed by the recorded key
 */
export async function logState(
  log: LogTarget,
  base: string,
  signal: AbortSignal,
): Promise<LogState> {
  const key = createPublicKey(log.publicKeyPem);
  if (log.kind === "ctLog") {
    const head = treeHead.parse(await getJson(`${base}/${log.origin}/ct/v1/get-sth`, signal));
    verifyTreeHead(head, key);
    const rootHash = Buffer.from(head.sha256_root_hash, "base64").toString("hex");
    return { size: head.tree_size, rootHash };
  }
  const info = logInfo.parse(await getJson(`${base}/api/v1/log`, signal));
  if (info.treeID !== log.treeId)
    throw new Error(`Rekor serves tree ${info.treeID}, the record says ${log.treeId}`);
  const checkpoint = verifyCheckpoint(info.signedTreeHead, log.origin, key);
  return { size: checkpoint.size, rootHash: checkpoint.rootHash.toString("hex") };
}

/** Whether the log as it is now only adds to what it was; asks the log for the proof. */
export async function hasGrown(
  log: LogTarget,
  base: string,
  before: LogState,
  now: LogState,
  signal: AbortSignal,
): Promise<boolean> {
  if (before.size === 0) return true;
  if (now.size < before.size) return false;
  if (now.size === before.size) return now.rootHash === before.rootHash;
  const root = ({ size, rootHash }: LogState) => ({ size, root: Buffer.from(rootHash, "hex") });
  const path = await consistencyPath(log, base, before.size, now.size, signal);
  return isConsistent({ first: root(before), second: root(now), path });
}

async function consistencyPath(
  log: LogTarget,
  base: string,
  first: number,
  second: number,
  signal: AbortSignal,
): Promise<Buffer[]> {
  if (log.kind === "ctLog") {
    const query = `first=${first}&second=${second}`;
    const url = `${base}/${log.origin}/ct/v1/get-sth-consistency?${query}`;
    const { consistency } = z
      .object({ consistency: z.array(z.string()) })
      .parse(await getJson(url, signal));
    return consistency.map((hash) => Buffer.from(hash, "base64"));
  }
  const query = `firstSize=${first}&lastSize=${second}&treeID=${log.treeId}`;
  const { hashes } = z
    .object({ hashes: z.array(z.string()) })
    .parse(await getJson(`${base}/api/v1/log/proof?${query}`, signal));
  return hashes.map((hash) => Buffer.from(hash, "hex"));
}
