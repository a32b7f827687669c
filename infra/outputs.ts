import * as z from "zod";
import {
  fulcioCaRecord,
  logRecord,
  tsaRecord,
  tufOnlineRecord,
  tufRootRecord,
} from "./trust/records.ts";
import { distrustedSchema, observationSchema, switchSchema } from "./trust/stamps.ts";

const generationNumber = z.string().regex(/^\d+$/);
const generations = <T extends z.ZodType>(record: T) => z.record(generationNumber, record);

/** Every record of the stack, by kind and generation number. */
export const recordsSchema = z.strictObject({
  fulcioCa: generations(fulcioCaRecord),
  ctLog: generations(logRecord),
  rekor: generations(logRecord),
  tsa: generations(tsaRecord),
  tufRoot: generations(tufRootRecord),
  tufOnline: generations(tufOnlineRecord),
});

export type Records = z.infer<typeof recordsSchema>;

/** Where each generation of a kind is in its life. */
const lifeSchema = z.object({
  /** As configured: announced, active, draining, closed, retired or distrusted. */
  states: generations(z.string()),
  /** The one that issues or signs. */
  issues: z.int().min(1),
  /** Taken by the CT log, or open for writing. */
  accepts: z.array(z.int()),
  /** Served for reading alone. */
  readOnly: z.array(z.int()),
  ends: generations(z.iso.datetime()),
  distrusted: generations(distrustedSchema),
  published: generations(observationSchema),
  switches: z.array(switchSchema),
});
export type KindLife = z.infer<typeof lifeSchema>;

const allLife = z.object({
  fulcioCa: lifeSchema,
  ctLog: lifeSchema,
  rekor: lifeSchema,
  tsa: lifeSchema,
  tufRoot: lifeSchema,
  tufOnline: lifeSchema,
});

/** The newest publication of the TUF repository. */
export const tufStateSchema = z.strictObject({
  /** Of targets.json and snapshot.json. */
  version: z.int().min(1),
  revision: z.string().length(64),
  /** When targets or snapshot run out, RFC 3339. */
  expires: z.iso.datetime(),
  /** How long a timestamp lives that the cluster signs. */
  timestampLifeSeconds: z.int().min(1),
});

export type TufState = z.infer<typeof tufStateSchema>;

/** What the program exports: all that clients and the command line need; no secret. */
export const outputsSchema = z.object({
  /** Where TUF is served, without a trailing slash, and the first root that clients start from. */
  mirror: z.object({
    url: z.url(),
    rootUrl: z.url(),
    rootSha256: z.string().length(64),
    /** CA certificates in PEM that who calls these addresses trusts beside the public ones. */
    caBundle: z.string().optional(),
  }),
  services: z.object({ fulcio: z.url(), rekor: z.url(), ctLog: z.url(), tsa: z.url() }),
  issuers: z.array(z.object({ issuer: z.url(), clientId: z.string(), type: z.string() })),
  /** Namespace and name of the service account whose token `verify` may ask the cluster for. */
  probe: z.object({ namespace: z.string(), serviceAccount: z.string(), audience: z.string() }),
  /** SHA-256 over the published trust documents, in hex: the same on the TUF pods. */
  revision: z.string().length(64),
  /** Begins the name of each namespace of the stack. */
  prefix: z.string(),
  /** The cluster that the stack lives in: the uid of its namespace kube-system. */
  clusterUid: z.string(),
  records: recordsSchema,
  life: allLife,
  /** Seconds between published and used, and between last use and closing. */
  leadTimeSeconds: z.number().min(0),
  tuf: tufStateSchema,
  /** The first root.json, byte for byte. */
  initialRoot: z.string(),
});

export type StackOutputs = z.infer<typeof outputsSchema>;
