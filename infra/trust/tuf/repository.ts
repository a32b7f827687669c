import { canonicalize } from "@tufjs/canonical-json";
import { sha256 } from "./metadata.ts";
import type { TargetFile } from "./metadata.ts";

/** One version of what is published; texts are the exact bytes served. */
export interface PublishedVersion {
  /** Of both targets.json and snapshot.json. */
  version: number;
  targets: string;
  snapshot: string;
  targetFiles: readonly TargetFile[];
}

/** All that a state of the mirror consists of, but for timestamp.json, which the cluster signs. */
export interface Repository {
  /** 1.root.json, 2.root.json …: every version, in order. */
  roots: readonly string[];
  /**
   * The newest last. Those before it stay reachable for clients who read the timestamp just before
   * the newest one was served: they still ask for the files that it names.
   */
  publications: readonly PublishedVersion[];
}

/** A ConfigMap holds 1 MiB at most; its keys, metadata and the mirror's settings need some too. */
const sizeLimit = 900 * 1024;

/**
 * Path below the mirror's URL → content, in the layout of consistent snapshots (TUF 1.0.31,
 * section 6.2). `root.json` is a copy of the newest root, for people; clients ask for
 * numbered ones.
 *
 * @throws when versions do not grow, or when all of it is too large for a ConfigMap
 */
export function repositoryFiles({ roots, publications }: Repository): Record<string, string> {
  const newest = roots.at(-1);
  if (newest === undefined) throw new Error("a TUF repository needs its first root");
  requireGrowth(publications.map(({ version }) => version));
  const files = Object.fromEntries([
    ...roots.map((root, index): [string, string] => [`${index + 1}.root.json`, root]),
    ["root.json", newest],
    ...publications.flatMap(versionedFiles),
  ]);
  requireSize(files);
  return files;
}

function versionedFiles(published: PublishedVersion): [string, string][] {
  const { version, targets, snapshot, targetFiles } = published;
  return [
    [`${version}.targets.json`, targets],
    [snapshotPath(version), snapshot],
    ...targetFiles.map((file): [string, string] => [targetPath(file), file.content]),
  ];
}

function requireGrowth(versions: readonly number[]): void {
  if (versions.length === 0) throw new Error("a TUF repository needs a publication");
  if (versions.some((version, index) => index > 0 && version <= versions[index - 1]!)) {
    throw new Error(`TUF versions must grow, but are ${versions.join(", ")}`);
  }
}

function requireSize(files: Record<string, string>): void {
  const bytes = Object.entries(files)
    .flat()
    .reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= sizeLimit) return;
  const [kib, limit] = [bytes, sizeLimit].map((size) => Math.ceil(size / 1024));
  throw new Error(
    `the TUF repository has ${kib} KiB, and a ConfigMap takes ${limit}: publish fewer target files, ` +
      "or keep fewer earlier publications",
  );
}

/** Where a snapshot is served. */
export function snapshotPath(version: number): string {
  return `${version}.snapshot.json`;
}

/** Where a target is served: its hash is in its name, so its content can never change. */
export function targetPath(file: TargetFile): string {
  return `targets/${sha256(file.content)}.${file.name}`;
}

/** What stands for the slash in a ConfigMap's key, which takes only letters, digits, `-_.`. */
const slash = "__";

/**
 * A repository path as a ConfigMap key; the volume's `items` map it back.
 *
 * @throws when the path cannot be turned back, or is no valid key (at most 253 characters)
 */
export function flattenPath(path: string): string {
  const key = path.replaceAll("/", slash);
  if (restorePath(key) !== path || !/^[-._a-zA-Z0-9]{1,253}$/.test(key)) {
    throw new Error(`${path} cannot be a ConfigMap key`);
  }
  return key;
}

/** The repository path of a ConfigMap key. */
export function restorePath(key: string): string {
  return key.replaceAll(slash, "/");
}

/**
 * The revision: SHA-256, in hex, over the names, contents and custom fields of the published
 * trust documents, in whatever order they come. Signatures, versions and expiry are not part of
 * it, so renewing them changes no revision.
 */
export function revisionHash(documents: readonly TargetFile[]): string {
  const entries = documents.map(({ name, content, custom }) => [
    name,
    { sha256: sha256(content), ...(custom && { custom }) },
  ]);
  return sha256(canonicalize(Object.fromEntries(entries)));
}
