import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getText } from "../../infra/observe/http.ts";
import { sha256 } from "../../infra/trust/tuf/metadata.ts";
import { openMirror, type Mirror } from "../../infra/observe/mirror.ts";
import { tarGz, type Entry } from "./tar.ts";

/** A TUF repository that can be carried to where the mirror is not reached. */
export interface Carried {
  archive: Buffer;
  /** When its timestamp expires: from then on no client takes it. */
  expires: Date;
}

/**
 * Takes the whole repository off a mirror, after a walk from the first root that verified it.
 * @throws {Error} when the mirror is not reached or serves what a client refuses
 */
export async function carry(given: { url: string; initialRoot: string }): Promise<Carried> {
  const directory = await mkdtemp(join(tmpdir(), "anchorhold-admission-"));
  try {
    const mirror = await openMirror(given, directory);
    const entries = [
      ...(await roots(given, mirror.roles.root.version)),
      ...metadata(mirror),
      ...(await targets(mirror)),
    ];
    return { archive: tarGz(entries.map(inRepository)), expires: mirror.roles.timestamp.expires };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** policy-controller looks into a folder of this name. */
const inRepository = ({ path, content }: Entry) => ({ path: `repository/${path}`, content });

/** Every root up to the newest: whoever reads the archive walks again from the first. */
async function roots(
  { url, initialRoot }: { url: string; initialRoot: string },
  newest: number,
): Promise<Entry[]> {
  const entries = [{ path: "1.root.json", content: initialRoot }];
  for (let version = 2; version <= newest; version += 1) {
    const path = `${version}.root.json`;
    const content = await getText(`${url}/${path}`, AbortSignal.timeout(30_000));
    entries.push({ path, content });
  }
  return entries;
}

function metadata({ roles, files }: Mirror): Entry[] {
  return [
    { path: "timestamp.json", content: files.timestamp },
    { path: `${roles.snapshot.version}.snapshot.json`, content: files.snapshot },
    { path: `${roles.targets.version}.targets.json`, content: files.targets },
  ];
}

function targets(mirror: Mirror): Promise<Entry[]> {
  return Promise.all(
    mirror.targets.map(async ({ name }) => {
      const content = await mirror.target(name);
      return { path: `targets/${sha256(content)}.${name}`, content };
    }),
  );
}
