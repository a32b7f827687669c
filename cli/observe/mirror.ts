import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Expectation } from "../../infra/observe/expectation.ts";
import { getText } from "../../infra/observe/http.ts";
import { sha256 } from "../../infra/trust/tuf/metadata.ts";
import { readTimestamp } from "../../infra/trust/tuf/timestamp.ts";
import { openMirror, servedRevision } from "../../infra/observe/mirror.ts";

/**
 * Why a TUF replica is not as expected: walks it from root 1 with an empty cache, as a client does
 * on its first day, and hashes what it publishes; undefined when it is as expected.
 *
 * @param seen the newest version of the timestamp that clients have met; an older one would make
 *   them fail
 * @throws Error when a client would refuse it
 */
export async function mirrorFault(
  expected: NonNullable<Expectation["mirror"]>,
  base: string,
  seen: number,
): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), "anchorhold-observe-"));
  try {
    const initialRoot = await getText(`${base}/1.root.json`, AbortSignal.timeout(10_000));
    if (sha256(initialRoot) !== expected.root) return "serves another first root than the recorded";
    const mirror = await openMirror({ url: base, initialRoot }, directory);
    const { version } = mirror.roles.targets;
    const timestamp = mirror.roles.timestamp.version;
    if (timestamp < seen) return `serves timestamp ${timestamp}, clients have seen ${seen}`;
    if (version !== expected.version)
      return `serves version ${version}, expected ${expected.version}`;
    const revision = await servedRevision(mirror);
    if (revision === expected.revision) return undefined;
    return `serves revision ${revision.slice(0, 12)}, expected ${expected.revision.slice(0, 12)}`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The version of the timestamp that a replica serves. */
export async function timestampVersion(base: string): Promise<number> {
  const text = await getText(`${base}/timestamp.json`, AbortSignal.timeout(10_000));
  return readTimestamp(text)?.version ?? 0;
}
