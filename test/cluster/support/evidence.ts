import { bundleFromJSON, type SerializedBundle } from "@sigstore/bundle";
import { expect } from "vitest";
import { evidenceOf } from "../../../infra/observe/evidence.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";

/** A bundle brings an SCT of our CT log, a Rekor inclusion proof and a TSA timestamp of just now. */
export function expectEvidence(bundle: string, { records }: StackOutputs): void {
  const parsed = bundleFromJSON(JSON.parse(bundle) as SerializedBundle);
  const { scts, proofs, timestamps } = evidenceOf(parsed);
  const ctLogs = Object.values(records.ctLog).map(({ logId }) =>
    Buffer.from(logId, "base64").toString("hex"),
  );
  expect(scts).toHaveLength(1);
  expect(ctLogs).toContain(scts[0]);
  expect(proofs).toHaveLength(1);
  expect(proofs[0]!.logIndex).toBeLessThan(proofs[0]!.treeSize);
  expect(timestamps).toHaveLength(1);
  expect(Math.abs(timestamps[0]!.getTime() - Date.now())).toBeLessThan(300_000);
}
