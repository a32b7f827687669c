import * as z from "zod";

const quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(Mi|Gi|Ti)$/, "must be a Kubernetes quantity such as 5Gi");

/** A volume that is claimed for data; without a class, the cluster's default one. */
export const volumeSchema = z.strictObject({
  size: quantity,
  storageClass: z.string().min(1).optional(),
});
export type Volume = z.infer<typeof volumeSchema>;
