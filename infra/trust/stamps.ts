import * as z from "zod";

/**
 * What was observed or decided about a generation after it was made. Each is a protected Stash of
 * its own, written once: `fulcio-ca-2-published`, `fulcio-ca-switch-3`, `ctlog-1-closed` …
 */

/** A log's size and root hash (hex), by the log's name, such as `rekor-1`. */
export const checkpointsSchema = z.record(
  z.string(),
  z.strictObject({ size: z.int().min(0), rootHash: z.string().regex(/^[0-9a-f]{64}$/) }),
);
export type Checkpoints = z.infer<typeof checkpointsSchema>;

/** When something was seen on every replica, and how far the logs were then. RFC 3339. */
export const observationSchema = z.strictObject({
  at: z.iso.datetime(),
  checkpoints: checkpointsSchema,
});
export type Observation = z.infer<typeof observationSchema>;

/** From `at` on, every replica of the producer uses this generation. */
export const switchSchema = z.strictObject({
  ...observationSchema.shape,
  generation: z.int().min(1),
});
export type Switch = z.infer<typeof switchSchema>;

/** The validity window's end, fixed when the generation was closed. */
export const closedSchema = z.strictObject({ end: z.iso.datetime() });
/** A stolen key: nothing that was made with it from this time on is trusted. */
export const distrustedSchema = z.strictObject({ from: z.iso.datetime() });
/** When the private key left the state. */
export const retiredSchema = z.strictObject({ at: z.iso.datetime() });

const targetFile = z.strictObject({
  name: z.string(),
  content: z.string(),
  custom: z
    .strictObject({
      sigstore: z.strictObject({
        usage: z.string(),
        status: z.string(),
        uri: z.string().exactOptional(),
      }),
    })
    .exactOptional(),
});

/** One version of the TUF repository: what is published, and the roles that name it as signed. */
export const publicationSchema = z.strictObject({
  /** Of targets.json and snapshot.json alike. */
  version: z.int().min(1),
  /** SHA-256 over the published documents, in hex. */
  revision: z.string().length(64),
  signed: z.iso.datetime(),
  /** When the first of the two roles runs out. */
  expires: z.iso.datetime(),
  documents: z.array(targetFile),
  targets: z.string(),
  snapshot: z.string(),
});
export type Publication = z.infer<typeof publicationSchema>;

/** What the stack lives in, and cannot leave by an edit. */
export const clusterSchema = z.strictObject({
  /** The cluster: the uid of its namespace kube-system. */
  uid: z.string().min(1),
  /** Left out where the logs' database is the stack's own. */
  database: z.literal("external").optional(),
});
