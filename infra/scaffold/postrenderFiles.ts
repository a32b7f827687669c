import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";

const program = "postrender.ts";
/** All that decides what the post-renderer does, but for Node and the yaml package. */
const sources = [program, "postrenderRules.ts"];

/**
 * Where the post-renderer is, relative to the working directory of program and plugins, which is the
 * project's: an absolute path would be a change on every other machine. Helm needs the leading dot,
 * since it looks for a bare name on PATH.
 */
export function postrenderPath(directory: string = process.cwd()): string {
  const path = relative(directory, join(import.meta.dirname, program));
  return path.startsWith(".") || isAbsolute(path) ? path : `./${path}`;
}

/**
 * SHA-256 of the post-renderer's sources, in hex. Helm compares values and chart alone: without this
 * among the values, a changed post-renderer would change nothing in the cluster.
 */
export function postrenderHash(): string {
  const hash = createHash("sha256");
  for (const file of sources) {
    hash.update(`${file}\0`);
    hash.update(readFileSync(join(import.meta.dirname, file)));
    hash.update("\0");
  }
  return hash.digest("hex");
}
