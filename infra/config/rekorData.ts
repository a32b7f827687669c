import * as z from "zod";
import { port } from "./endpoint.ts";
import { hostName } from "./fields.ts";
import { byKey, wordOr } from "./forms.ts";
import { volumeSchema } from "./volume.ts";

const externalRedis = z.strictObject({
  host: hostName,
  port: port.default(6379),
  /** Of a certificate that the images' own authorities vouch for: Rekor takes no others. */
  tls: z.boolean().default(false),
  password: z
    .undefined({
      error:
        "cannot be given: Rekor takes Redis' password on its command line alone, where others can " +
        "read it. Guard Redis by its network",
    })
    .optional(),
});

/**
 * `anchorhold:searchIndex`: where Redis keeps which entries belong to a key, an e-mail address or a
 * hash, for `rekor-cli search`: in memory, on a volume, elsewhere, or there is no such search.
 */
export const searchIndexSchema = wordOr(
  ["memory", "none"],
  byKey("external", z.strictObject({ external: externalRedis }), volumeSchema),
).prefault("memory");
export type SearchIndex = z.infer<typeof searchIndexSchema>;

const accessMode = z.enum(["ReadWriteOnce", "ReadWriteMany"]).default("ReadWriteOnce");

/** As gocloud.dev/blob reads them. Keys come from the surroundings, never from here. */
const bucketUrl = z
  .string()
  .regex(
    /^(s3|gs):\/\/[a-z0-9][a-z0-9.-]*[a-z0-9](\?[A-Za-z0-9_.=&:/-]+)?$/,
    "must be a bucket such as s3://attestations?region=eu-central-1 or gs://attestations",
  )
  .refine((url) => !/[?&][^=]*(secret|token|key|password)[^=]*=/i.test(url), {
    error: "must have no secret: it stands on Rekor's command line",
  });

/**
 * `anchorhold:attestations`: where Rekor keeps the attestations that entries of type intoto bring
 * along. Without it they travel in the bundle alone, and the log has their hash.
 */
export const attestationsSchema = wordOr(
  ["none"],
  byKey("bucket", z.strictObject({ bucket: bucketUrl }), volumeSchema.extend({ accessMode })),
).prefault("none");
export type Attestations = z.infer<typeof attestationsSchema>;

/** What is wrong with where Rekor's data is, for so many of its servers. */
export function rekorDataProblems(attestations: Attestations, replicas: number): string[] {
  if (attestations === "none" || "bucket" in attestations || replicas === 1) return [];
  if (attestations.accessMode === "ReadWriteMany") return [];
  return [
    `anchorhold:attestations.accessMode: ${replicas} pods of Rekor (anchorhold:replicas.rekor) write ` +
      "to one volume: set ReadWriteMany and a storageClass that offers it, or a bucket",
  ];
}
