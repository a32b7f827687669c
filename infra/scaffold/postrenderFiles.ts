import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";

const program = "postrender.ts";
/** The folder of the rules that the program applies. */
const rules = "postrender";

/**
 * Where the post-renderer is, relative to the working directory of program and plugins, which is the
 * project's: an absolute path would be a change on every other machine. Helm needs the leading dot,
 * since it looks for a bare name on PATH.
 */
export function postrenderPath(directory: string = process.cwd()): string {
  const path = relative(directory, join(import.meta.dirname, program));
  return path.startsWith(".") || isAbsolute(path) ? path : `./${path}`;
}

/** All that decides what the post-renderer does, but for Node and the yaml package. */
export function postrenderSources(directory: string = import.meta.dirname): string[] {
  const files = readdirSync(join(directory, rules)).filter((file) => file.endsWith(".ts"));
  return [program, ...files.sort().map((file) => `${rules}/${file}`)];
}

/**
 * SHA-256 of the post-renderer's sources, in hex. Helm compares values and chart alone: without this
 * among the values, a changed post-renderer would change nothing in the cluster.
 */
export function postrenderHash(directory: string = import.meta.dirname): string {
  const hash = createHash("sha256");
  for (const file of postrenderSources(directory)) {
    hash.update(`${file}\0`);
    hash.update(readFileSync(join(directory, file)));
    hash.update("\0");
  }
  return hash.digest("hex");
}
