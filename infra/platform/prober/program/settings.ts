import * as z from "zod";
import { logTargetSchema } from "../../../observe/logs.ts";

/** Where a log is asked, and what it must sign as. */
export const probedLogSchema = z.strictObject({
  ...logTargetSchema.shape,
  /** `ctlog-1`, `rekor-1`: also the name of its check. */
  name: z.string(),
  /** `http://HOST:PORT`, inside the cluster. */
  url: z.url(),
});
export type ProbedLog = z.infer<typeof probedLogSchema>;

/** All that the probe is told. Its trust is not among it: that it learns from the mirror. */
export const settingsSchema = z.strictObject({
  /** The stack's prefix: a label on every metric. */
  stack: z.string(),
  /** Seconds from the begin of one round to the begin of the next. */
  every: z.number().positive(),
  /** The mirror as it is reached inside the cluster, and the first root.json, byte for byte. */
  mirror: z.url(),
  initialRoot: z.string(),
  /** Where Fulcio, the TSA and the Rekor that takes entries are reached inside the cluster. */
  fulcio: z.url(),
  tsa: z.url(),
  rekor: z.url(),
  logs: z.array(probedLogSchema),
  /** Whether Rekor has a search index. */
  search: z.boolean(),
  /** Life of a timestamp.json from its signing, in seconds. */
  timestampLife: z.number().positive(),
  /** What the probe's certificates must name. */
  identity: z.string(),
  /** The ConfigMap of what must not be forgotten. */
  memory: z.strictObject({ namespace: z.string(), name: z.string() }),
});
export type Settings = z.infer<typeof settingsSchema>;

/** Where the pod's files are: what the resources mount, and what the program reads. */
export const places = {
  program: "/opt/anchorhold",
  settings: "/etc/anchorhold",
  /** `token` and `ca.crt` for the API server, and `identity`, the token that is signed with. */
  account: "/run/anchorhold/account",
  /** All that may be written: the unpacked program, and the TUF client's files. */
  scratch: "/tmp",
} as const;

export const settingsFile = "settings.json";

/** Of the metrics and of health. */
export const metricsPort = 9464;
