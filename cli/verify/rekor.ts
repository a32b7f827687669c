import { createPublicKey } from "node:crypto";
import * as z from "zod";
import type { StackOutputs } from "../../infra/outputs.ts";
import type { LogRecord } from "../../infra/trust/records.ts";
import { keyFingerprint, short } from "./certificates.ts";
import { verifyCheckpoint, type Checkpoint } from "../../infra/observe/checkpoint.ts";
import { fail, ok, warn, type Check, type Verdict } from "./finding.ts";
import { getJson, getText } from "../../infra/observe/http.ts";
import { leafHash, rootOfProof } from "../../infra/observe/merkle.ts";

const logInfo = z.object({
  rootHash: z.string(),
  treeSize: z.int(),
  signedTreeHead: z.string(),
  treeID: z.string(),
});

const entry = z.object({
  body: z.string(),
  verification: z.object({
    inclusionProof: z.object({
      checkpoint: z.string(),
      hashes: z.array(z.string()),
      logIndex: z.int(),
      rootHash: z.string(),
      treeSize: z.int(),
    }),
  }),
});
export type RekorEntry = z.infer<typeof entry>;

/** Three checks for each generation of Rekor v1, each at its own host. */
export function rekorChecks({ records }: StackOutputs): Check[] {
  return Object.entries(records.rekor).flatMap(([generation, record]) => [
    keyCheck(generation, record),
    logCheck(generation, record),
    proofCheck(generation, record),
  ]);
}

function keyCheck(generation: string, record: LogRecord): Check {
  return {
    service: "rekor",
    title: `public key ${generation}`,
    hint: "Rekor signs with a key that clients do not know. Run `pulumi up`; its Secret may be lost.",
    async run({ signal }) {
      const pem = await getText(`${record.baseUrl}/api/v1/log/publicKey`, signal);
      const [seen, expected] = [keyFingerprint(pem), keyFingerprint(record.publicKeyPem)];
      return seen === expected ? ok(short([seen])) : fail(short([seen]), short([expected]));
    },
  };
}

function logCheck(generation: string, record: LogRecord): Check {
  return {
    service: "rekor",
    title: `signed tree head ${generation}`,
    expected: "a checkpoint signed by the recorded key",
    hint:
      "Rekor uses another tree, host name or key than recorded; clients answer with " +
      '"not enough verified log entries". Run `pulumi up`.',
    async run({ signal }) {
      const info = logInfo.parse(await getJson(`${record.baseUrl}/api/v1/log`, signal));
      return compareLog(info, record);
    },
  };
}

/** The tree's id, the checkpoint's signature and origin, and that both tell of the same tree. */
export function compareLog(info: z.infer<typeof logInfo>, record: LogRecord): Verdict {
  if (info.treeID !== record.treeId) return fail(`tree ${info.treeID}`, `tree ${record.treeId}`);
  const checkpoint = readCheckpoint(info.signedTreeHead, record);
  const seen = `origin "${checkpoint.origin}", ${checkpoint.size} entries`;
  const origin = `${record.origin} - ${record.treeId}`;
  if (checkpoint.origin !== origin) return fail(seen, `origin "${origin}"`);
  if (checkpoint.rootHash.toString("hex") !== info.rootHash || checkpoint.size !== info.treeSize) {
    return fail(seen, `${info.treeSize} entries under root ${info.rootHash.slice(0, 12)}`);
  }
  return ok(seen);
}

function proofCheck(generation: string, record: LogRecord): Check {
  return {
    service: "rekor",
    title: `inclusion proof ${generation}`,
    expected: "a proof under a checkpoint signed by the recorded key",
    hint: "The log's tree is damaged or not the recorded one. Compare the database with its backup.",
    async run({ signal }) {
      const { treeSize } = logInfo.parse(await getJson(`${record.baseUrl}/api/v1/log`, signal));
      if (treeSize === 0) return warn("the log is empty", "at least one entry to prove");
      // The newest entry; when this run could sign, it is that one or one after it.
      const url = `${record.baseUrl}/api/v1/log/entries?logIndex=${treeSize - 1}`;
      const [found] = Object.values(z.record(z.string(), entry).parse(await getJson(url, signal)));
      if (found === undefined) return fail(`no entry ${treeSize - 1}`, "the newest entry");
      return compareProof(found, record);
    },
  };
}

/** The entry's hash, led up by the proof, must be the root that the recorded key has signed. */
export function compareProof(found: RekorEntry, record: LogRecord): Verdict {
  const proof = found.verification.inclusionProof;
  const checkpoint = readCheckpoint(proof.checkpoint, record);
  const root = rootOfProof(leafHash(Buffer.from(found.body, "base64")), {
    index: proof.logIndex,
    size: proof.treeSize,
    path: proof.hashes.map((hash) => Buffer.from(hash, "hex")),
  });
  const seen = `entry ${proof.logIndex} of ${proof.treeSize}`;
  const same = root.equals(checkpoint.rootHash) && checkpoint.size === proof.treeSize;
  return same
    ? ok(`${seen} proven, ${proof.hashes.length} hashes`)
    : fail(
        `${seen} leads to root ${root.toString("hex").slice(0, 12)}`,
        `root ${checkpoint.rootHash.toString("hex").slice(0, 12)} of ${checkpoint.size} entries`,
      );
}

function readCheckpoint(text: string, record: LogRecord): Checkpoint {
  return verifyCheckpoint(text, record.origin, createPublicKey(record.publicKeyPem));
}
