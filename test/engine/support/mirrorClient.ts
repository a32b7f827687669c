import { createHash } from "node:crypto";
import { Metadata, MetadataKind, type Root, type Targets } from "@tufjs/models";
import type { Service } from "./served/http.ts";

type Json = Parameters<typeof Metadata.fromJSON>[1];

/** What a TUF client accepted: the roles' versions, and the files that they lead to. */
export interface Accepted {
  versions: { root: number; timestamp: number; snapshot: number; targets: number };
  /** 1.root.json, byte for byte. */
  initialRoot: string;
  /** A target's text. @throws {Error} without it, or when it is not the one that was signed */
  target(name: string): string;
}

/**
 * Walks a mirror as a client does that knows nothing but its 1.root.json (TUF 1.0.31, section 5):
 * every role's signatures, versions, hashes and expiry are checked.
 * @throws {Error} in a client's words
 */
export function walk(mirror: Service, now: Date): Accepted {
  const initialRoot = fetched(mirror, "1.root.json");
  const root = newestRoot(mirror, Metadata.fromJSON(MetadataKind.Root, parsed(initialRoot)));
  requireFresh("root", root.signed, now);

  const timestamp = Metadata.fromJSON(MetadataKind.Timestamp, json(mirror, "timestamp.json"));
  root.verifyDelegate("timestamp", timestamp);
  requireFresh("timestamp", timestamp.signed, now);

  const meta = timestamp.signed.snapshotMeta;
  const snapshotText = fetched(mirror, `${meta.version}.snapshot.json`);
  meta.verify(Buffer.from(snapshotText));
  const snapshot = Metadata.fromJSON(MetadataKind.Snapshot, parsed(snapshotText));
  root.verifyDelegate("snapshot", snapshot);
  requireFresh("snapshot", snapshot.signed, now);

  const targetsMeta = snapshot.signed.meta["targets.json"];
  if (targetsMeta === undefined) throw new Error("snapshot.json does not name targets.json");
  const targetsText = fetched(mirror, `${targetsMeta.version}.targets.json`);
  targetsMeta.verify(Buffer.from(targetsText));
  const targets = Metadata.fromJSON(MetadataKind.Targets, parsed(targetsText));
  root.verifyDelegate("targets", targets);
  requireFresh("targets", targets.signed, now);

  return {
    versions: {
      root: root.signed.version,
      timestamp: timestamp.signed.version,
      snapshot: snapshot.signed.version,
      targets: targets.signed.version,
    },
    initialRoot,
    target: (name) => target(mirror, targets.signed, name),
  };
}

/** Root N+1 counts when the keys of root N and its own have signed it. */
function newestRoot(mirror: Service, first: Metadata<Root>): Metadata<Root> {
  first.verifyDelegate("root", first);
  let trusted = first;
  for (;;) {
    const answer = mirror.get(`/${trusted.signed.version + 1}.root.json`);
    if (answer.status === 404) return trusted;
    const next = Metadata.fromJSON(MetadataKind.Root, parsed(String(answer.body)));
    trusted.verifyDelegate("root", next);
    next.verifyDelegate("root", next);
    if (next.signed.version !== trusted.signed.version + 1) throw new Error("bad version number");
    trusted = next;
  }
}

function requireFresh(role: string, signed: { isExpired(at?: Date): boolean }, now: Date): void {
  if (signed.isExpired(now)) throw new Error(`Final ${role}.json is expired`);
}

function target(mirror: Service, targets: Targets, name: string): string {
  const entry = targets.targets[name];
  if (entry === undefined) throw new Error(`target ${name} not found`);
  const sha256 = entry.hashes["sha256"] ?? "";
  const text = fetched(mirror, `targets/${sha256}.${name}`);
  if (createHash("sha256").update(text).digest("hex") === sha256) return text;
  throw new Error(`${name}: hash mismatch`);
}

function fetched(mirror: Service, path: string): string {
  const { status, body } = mirror.get(`/${path}`);
  if (status !== 200) throw new Error(`GET /${path}: HTTP ${status}`);
  return String(body);
}

function json(mirror: Service, path: string): Json {
  return parsed(fetched(mirror, path));
}

function parsed(text: string): Json {
  return JSON.parse(text) as Json;
}
