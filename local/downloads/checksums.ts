/** What a release says of one of its files. */
export interface Digest {
  algorithm: "sha256" | "sha1";
  /** In lower-case hex. */
  hex: string;
}

const line = /^([0-9a-f]{64}|[0-9a-f]{40})\s+\*?(?:\.\/)?(\S+)$/i;

/**
 * A file's digest in a list as `sha256sum` and `shasum` print it: digest, blanks, name. The digest's
 * length names the algorithm: Pulumi's bridged plugins (random, tls) publish SHA-1, all else SHA-256.
 *
 * @returns undefined when the list has no line for the file, or two that differ
 */
export function publishedDigest(list: string, file: string): Digest | undefined {
  const digests = list
    .split("\n")
    .map((text) => line.exec(text.trim()))
    .flatMap((found) => (found?.[2] === file ? (found[1] ?? "").toLowerCase() : []));
  const [hex, ...others] = new Set(digests);
  if (hex === undefined || others.length > 0) return undefined;
  return { algorithm: hex.length === 64 ? "sha256" : "sha1", hex };
}
