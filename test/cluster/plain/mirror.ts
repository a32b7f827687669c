import {
  sha256,
  signRoot,
  signSnapshot,
  signTargets,
  type TargetFile,
} from "../../../infra/trust/tuf/metadata.ts";
import { repositoryFiles } from "../../../infra/trust/tuf/repository.ts";
import { renewTimestamp, snapshotMeta } from "../../../infra/trust/tuf/timestamp.ts";
import { Mirror } from "../../support/mirror.ts";
import { newKey } from "./trust.ts";

/** A TUF repository that is published once and served on loopback. */
export interface PlainMirror {
  mirror: { url: string; rootUrl: string; rootSha256: string };
  initialRoot: string;
  close: () => Promise<void>;
}

/** Signs with a key that nobody keeps: nothing is ever published after this. */
export async function serveMirror(targetFiles: readonly TargetFile[]): Promise<PlainMirror> {
  const server = await new Mirror().open();
  server.files = publish(targetFiles);
  const { url } = server;
  const initialRoot = server.files["1.root.json"] ?? "";
  return {
    mirror: { url, rootUrl: `${url}/1.root.json`, rootSha256: sha256(initialRoot) },
    initialRoot,
    close: () => server.close(),
  };
}

function publish(targetFiles: readonly TargetFile[]): Record<string, string> {
  const signer = newKey();
  const keys = [signer.publicKeyPem];
  const now = new Date();
  const lifeSeconds = 86_400;
  const expires = new Date(now.getTime() + lifeSeconds * 1000);
  const by = { version: 1, expires, signer };
  const roles = { root: { keys, threshold: 1 }, targets: keys, snapshot: keys, timestamp: keys };
  const root = signRoot({ version: 1, expires, ...roles, signers: [signer] });
  const targets = signTargets({ ...by, targets: targetFiles });
  const snapshot = signSnapshot({ ...by, targets: { version: 1, content: targets } });
  const { content } = renewTimestamp({
    snapshot: snapshotMeta(snapshot),
    key: signer,
    now,
    lifeSeconds,
  });
  const publications = [{ version: 1, targets, snapshot, targetFiles }];
  return { ...repositoryFiles({ roots: [root], publications }), "timestamp.json": content };
}
