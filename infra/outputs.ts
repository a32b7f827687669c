import * as z from "zod";
import {
  fulcioCaRecord,
  logRecord,
  tsaRecord,
  tufOnlineRecord,
  tufRootRecord,
} from "./trust/records.ts";

const generations = <T extends z.ZodType>(record: T) => z.record(z.string().regex(/^\d+$/), record);

/** Every record of the stack, by kind and generation number: what `decide` reads at the next run. */
export const recordsSchema = z.strictObject({
  fulcioCa: generations(fulcioCaRecord),
  ctLog: generations(logRecord),
  rekor: generations(logRecord),
  tsa: generations(tsaRecord),
  tufRoot: generations(tufRootRecord),
  tufOnline: generations(tufOnlineRecord),
});

export type Records = z.infer<typeof recordsSchema>;

/** The newest TUF metadata: `renewals` counts signings without a change of what is published. */
export const tufStateSchema = z.strictObject({
  version: z.int().min(1),
  revision: z.string().length(64),
  renewals: z.int().min(0),
  /** When the first role runs out, RFC 3339. */
  expires: z.iso.datetime(),
});

export type TufState = z.infer<typeof tufStateSchema>;

/** What the program exports: all that clients, the command line and the next run need; no secret. */
export const outputsSchema = z.object({
  /** Where TUF is served, without a trailing slash, and the first root that clients start from. */
  mirror: z.object({ url: z.url(), rootUrl: z.url(), rootSha256: z.string().length(64) }),
  services: z.object({ fulcio: z.url(), rekor: z.url(), ctLog: z.url(), tsa: z.url() }),
  issuers: z.array(z.object({ issuer: z.url(), clientId: z.string(), type: z.string() })),
  /** Namespace and name of the service account whose token `verify` may ask the cluster for. */
  probe: z.object({ namespace: z.string(), serviceAccount: z.string(), audience: z.string() }),
  /** SHA-256 over the published trust documents, in hex: the same on the TUF pods. */
  revision: z.string().length(64),
  records: recordsSchema,
  tuf: tufStateSchema,
  /** The first root.json, byte for byte. */
  initialRoot: z.string(),
});

export type StackOutputs = z.infer<typeof outputsSchema>;
