import * as z from "zod";

const schema = z.object({
  version: z.int(),
  snapshotVersion: z.int(),
  signed: z.iso.datetime(),
});

/** What the timestamp signer notes of its last signature; undefined when it cannot be read. */
export function readLastSigning(text: string): z.infer<typeof schema> | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
