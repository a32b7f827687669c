// The object in the cluster that holds the signed timestamps, and what a run of the signer does to
// it. Pure, and as free of dependencies as signature.ts.
import { keyIdOf, type Signer } from "./signature.ts";
import {
  isTimestampOf,
  readTimestamp,
  RefusedSigning,
  renewTimestamp,
  snapshotMeta,
  type LastSigning,
  type SnapshotMeta,
  type Timestamp,
} from "./timestamp.ts";

/**
 * `timestamp-<snapshot version>.json`: a signed file, for each snapshot whose timestamp has not
 * expired, since any of them may be what is served. `last`: a `LastSigning` as JSON.
 */
export type StateData = Readonly<Record<string, string>>;

/** The key of a snapshot's timestamp. */
export function timestampKey(snapshotVersion: number): string {
  return `timestamp-${snapshotVersion}.json`;
}

export interface StateRequest {
  data: StateData;
  /** The snapshot.json that the signer was started for. */
  snapshot: string;
  key: Signer;
  now: Date;
  lifeSeconds: number;
}

/** The data to write, or none where nothing is to be signed. */
export interface StateChange {
  data?: StateData;
  /** One line for the log. */
  message: string;
}

/**
 * Signs the timestamp of a snapshot, or, where a newer snapshot has been signed already, does what
 * keeps both states of an unfinished update good: see `catchUp`.
 *
 * @throws RefusedSigning for a clock that is behind, or an object that somebody else has written
 */
export function renewState(request: StateRequest): StateChange {
  const last = lastOf(request.data);
  const snapshot = snapshotMeta(request.snapshot);
  if (last !== undefined && snapshot.version < last.snapshotVersion) {
    return catchUp(request, last, snapshot);
  }
  return sign(request, [snapshot], last);
}

/**
 * The signer belongs to one revision, but the timestamp of a newer one is signed: an update is on
 * its way, and soon no client asks for the older one. So nothing is to be done, unless the update
 * was killed and nobody has run it again until half of a timestamp's life is over. Then both must
 * be renewed, for either may be served. They get versions in the order of their snapshots: whoever
 * saw the older one may see the newer one next.
 */
function catchUp(request: StateRequest, last: LastSigning, own: SnapshotMeta): StateChange {
  const { data, now, lifeSeconds } = request;
  const held = heldIn(data).filter(({ snapshot }) => snapshot.version >= own.version);
  const halfLife = now.getTime() + (lifeSeconds * 1000) / 2;
  const fresh = held.every(({ expires }) => expires.getTime() > halfLife);
  if (fresh && held[0]?.snapshot.version === own.version) {
    return {
      message: `the newer snapshot ${last.snapshotVersion} has been signed; nothing to do for ${own.version}`,
    };
  }
  for (const { snapshot } of held) requireOwn(request, snapshot.version);
  requireOwn(request, last.snapshotVersion);
  const others = held
    .map(({ snapshot }) => snapshot)
    .filter(({ version }) => version > own.version);
  // The floor is lowered here alone: every snapshot from it up is signed in the same write.
  return sign(request, [own, ...others], { ...last, snapshotVersion: own.version });
}

/** Signs the snapshots, the oldest first, and drops what has expired. */
function sign(
  { data, key, now, lifeSeconds }: StateRequest,
  snapshots: readonly SnapshotMeta[],
  before: LastSigning | undefined,
): StateChange {
  const files: Record<string, string> = {};
  for (const { content, snapshot, expires } of heldIn(data)) {
    if (expires > now) files[timestampKey(snapshot.version)] = content;
  }
  let last = before;
  for (const snapshot of snapshots) {
    const renewed = renewTimestamp({ last, snapshot, key, now, lifeSeconds });
    files[timestampKey(snapshot.version)] = renewed.content;
    last = renewed.last;
  }
  const versions = snapshots.map(({ version }) => version).join(", ");
  return {
    data: { ...files, last: JSON.stringify(last) },
    message: `signed timestamp ${last?.version} for snapshot ${versions} with key ${keyIdOf(key.publicKeyPem)}`,
  };
}

/** The timestamps in the object, the one of the oldest snapshot first. */
function heldIn(data: StateData): (Timestamp & { content: string })[] {
  return Object.entries(data)
    .flatMap(([name, content]) => {
      const read = readTimestamp(content);
      const known = read !== undefined && name === timestampKey(read.snapshot.version);
      return known ? [{ ...read, content }] : [];
    })
    .sort((one, other) => one.snapshot.version - other.snapshot.version);
}

function requireOwn({ data, key }: StateRequest, version: number): void {
  const content = data[timestampKey(version)];
  if (content !== undefined && isTimestampOf(key.publicKeyPem, content)) return;
  const what = content === undefined ? "is missing" : "was signed with another key";
  throw new RefusedSigning(
    `an update has not finished, and ${timestampKey(version)} ${what}: it cannot be renewed here. ` +
      "Run `pulumi up` again.",
  );
}

function lastOf({ last }: StateData): LastSigning | undefined {
  if (last === undefined) return undefined;
  const read = parse(last);
  const { version, snapshotVersion, signed } = read;
  const numbers = Number.isSafeInteger(version) && Number.isSafeInteger(snapshotVersion);
  if (numbers && !Number.isNaN(Date.parse(signed ?? ""))) return read as LastSigning;
  throw new RefusedSigning(
    "what the object says of the last signing cannot be read. Delete the object and run " +
      "`pulumi up --refresh`: it is made and signed anew.",
  );
}

function parse(text: string): Partial<LastSigning> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<LastSigning>;
  } catch {
    return {};
  }
}
