// Layers: tar files with a fixed order, fixed times and fixed owners, so that equal content has
// an equal hash.
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";

/** One entry of a layer; the path is absolute inside the image. */
export interface LayerEntry {
  path: string;
  /** Permission bits; directories and files that are not named get 0755 and 0644. */
  mode?: number;
  /** What the entry is: text, a file of this machine, a link's target, or a directory. */
  content: { text: string } | { file: string } | { link: string } | "directory";
}

/** What a tar header says about an entry besides its size and time. */
interface EntryHeader {
  name: string;
  mode?: number;
  uid?: number;
  gid?: number;
}

const epoch = new Date(0);

/** All directories above a path, outermost first: "/a/b/c" has "/a" and "/a/b". */
function parents(path: string): string[] {
  const parent = posix.dirname(path);
  return parent === "/" ? [] : [...parents(parent), parent];
}

/** The entries with the directories that lead to them, each once, in order of their paths. */
export function completeEntries(entries: readonly LayerEntry[]): LayerEntry[] {
  const all = new Map<string, LayerEntry>();
  for (const path of entries.flatMap((entry) => parents(entry.path))) {
    all.set(path, { path, content: "directory" });
  }
  for (const entry of entries) all.set(entry.path, entry);
  return [...all.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** Adds a file of this machine under the given header. */
export async function addFile(archive: Pack, header: EntryHeader, file: string): Promise<void> {
  const { size } = await stat(file);
  await new Promise<void>((resolve, reject) => {
    const entry = archive.entry({ ...header, size, mtime: epoch }, (error) =>
      error ? reject(error) : resolve(),
    );
    pipeline(createReadStream(file), entry).catch(reject);
  });
}

async function addEntry(archive: Pack, { path, mode, content }: LayerEntry): Promise<void> {
  const header = { name: path.slice(1), uid: 0, gid: 0, mtime: epoch };
  if (content === "directory") {
    archive.entry({ ...header, type: "directory", mode: mode ?? 0o755 });
  } else if ("link" in content) {
    archive.entry({ ...header, type: "symlink", linkname: content.link, mode: 0o777 });
  } else if ("text" in content) {
    archive.entry({ ...header, mode: mode ?? 0o644 }, content.text);
  } else {
    await addFile(archive, { ...header, mode: mode ?? 0o644 }, content.file);
  }
}

/** Writes a tar file with whatever `fill` adds to it. */
export async function writeTar(file: string, fill: (archive: Pack) => Promise<void>) {
  const archive = pack();
  const written = pipeline(archive, createWriteStream(file));
  const filled = fill(archive).then(
    () => archive.finalize(),
    (error: unknown) => {
      archive.destroy();
      throw error;
    },
  );
  // Both are awaited: a full disk shows in writing, a missing source in filling.
  const [, outcome] = await Promise.allSettled([written, filled]);
  if (outcome.status === "rejected") throw outcome.reason;
  await written;
}

/** Writes the entries as a layer. */
export function writeLayer(file: string, entries: readonly LayerEntry[]): Promise<void> {
  return writeTar(file, async (archive) => {
    for (const entry of completeEntries(entries)) await addEntry(archive, entry);
  });
}

/** The SHA-256 of a file, in hex. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
