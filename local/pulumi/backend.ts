/**
 * The URL of a file backend in a folder. By default the backend keeps a file `.attrs` beside each
 * of its files and writes it in place, not by renaming: killed at that moment it leaves an empty
 * one, and from then on every command fails with "failed to load checkpoint: EOF" (tried with
 * Pulumi 3.250; gocloud.dev/blob/fileblob, setAttrs). Nothing reads what they say.
 */
export function fileBackend(folder: string): string {
  return `file://${folder}?metadata=skip`;
}
