import type { StackOutputs } from "../../../infra/outputs.ts";
import { signInIssuer } from "../../../infra/config/issuers.ts";
import { documents } from "../../../infra/trust/documents.ts";
import type { TrustRecords } from "../../../infra/trust/trustedRoot.ts";
import { signRoot, signSnapshot, signTargets } from "../../../infra/trust/tuf/metadata.ts";
import { repositoryFiles } from "../../../infra/trust/tuf/repository.ts";
import { signTimestamp, snapshotMeta } from "../../../infra/trust/tuf/timestamp.ts";
import { ecKeyPair } from "../../unit/trust/fixture.ts";

/** What a mirror shall say, and until when. */
export interface Published extends TrustRecords {
  expires: Date;
}

/**
 * A mirror of its own with other records, signed with keys of its own: path → content. The signing
 * configuration still names the stack's services.
 */
export function republish(
  { records, services, issuers }: StackOutputs,
  { expires, ...published }: Published,
): Record<string, string> {
  const targetFiles = documents({
    records: published,
    rekor: records.rekor["1"]!,
    tsa: records.tsa["1"]!,
    fulcioUrl: services.fulcio,
    signIn: signInIssuer(issuers),
    operator: "test",
  });
  const signer = ecKeyPair();
  const keys = [signer.publicKeyPem];
  const common = { version: 1, expires, signer };
  const root = signRoot({
    ...common,
    root: { keys, threshold: 1 },
    targets: keys,
    snapshot: keys,
    timestamp: keys,
    signers: [signer],
  });
  const targets = signTargets({ ...common, targets: targetFiles });
  const snapshot = signSnapshot({ ...common, targets: { version: 1, content: targets } });
  const timestamp = signTimestamp({ ...common, snapshot: snapshotMeta(snapshot) });
  const publications = [{ version: 1, targets, snapshot, targetFiles }];
  return { ...repositoryFiles({ roots: [root], publications }), "timestamp.json": timestamp };
}
