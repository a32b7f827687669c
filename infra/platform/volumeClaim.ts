import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Volume } from "../config/volume.ts";
import { trustOptions } from "../trust/record.ts";

export interface VolumeClaimArgs extends Volume {
  namespace: pulumi.Input<string>;
  /** Of the claim in the cluster: it stays, whatever becomes of the pods. */
  claimName: string;
  accessMode?: "ReadWriteOnce" | "ReadWriteMany";
}

/**
 * Claims a volume for data, protected.
 * @returns the claim's name, once it is there
 */
export function volumeClaim(
  name: string,
  { namespace, claimName, accessMode = "ReadWriteOnce", size, storageClass }: VolumeClaimArgs,
  opts: pulumi.ComponentResourceOptions,
): pulumi.Output<string> {
  const claim = new k8s.core.v1.PersistentVolumeClaim(
    name,
    {
      metadata: {
        name: claimName,
        namespace,
        // Some classes bind a volume only when a pod asks for it, and that pod comes later.
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: {
        accessModes: [accessMode],
        resources: { requests: { storage: size } },
        ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      },
    },
    { ...opts, ...trustOptions },
  );
  return claim.metadata.name;
}
