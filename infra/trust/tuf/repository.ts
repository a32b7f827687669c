import { canonicalize } from "@tufjs/canonical-json";
import { sha256 } from "./metadata.ts";
import type { TargetFile } from "./metadata.ts";

/** All that one state of the mirror consists of; texts are the exact bytes served. */
export interface Repository {
  /** 1.root.json, 2.root.json …: every version, in order. */
  roots: readonly string[];
  targetsVersion: number;
  targets: string;
  targetFiles: readonly TargetFile[];
  snapshotVersion: number;
  snapshot: string;
  timestamp: string;
}

/**
 * Path below the mirror's URL → content, in the layout of consistent snapshots (TUF 1.0.31,
 * section 6.2). `root.json` is a copy of the newest root, for people; clients ask for
 * numbered ones.
 */
export function repositoryFiles(repository: Repository): Record<string, string> {
  const { roots, targetFiles } = repository;
  const newest = roots.at(-1);
  if (newest === undefined) throw new Error("a TUF repository needs its first root");
  return {
    ...Object.fromEntries(roots.map((root, index) => [`${index + 1}.root.json`, root])),
    "root.json": newest,
    [`${repository.targetsVersion}.targets.json`]: repository.targets,
    [`${repository.snapshotVersion}.snapshot.json`]: repository.snapshot,
    "timestamp.json": repository.timestamp,
    ...Object.fromEntries(targetFiles.map((file) => [targetPath(file), file.content])),
  };
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
