import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { signerLabels } from "./labels.ts";
import type { TimestampSigner } from "./signer.ts";
import type { SnapshotSource } from "./signerPod.ts";

export interface TimestampScheduleArgs {
  signer: TimestampSigner;
  /** Of the revision that is served. */
  snapshot: SnapshotSource;
  /** Five fields of cron, in UTC. */
  schedule: string;
}

/**
 * Renews the timestamp of what is served. It is pointed at a new revision only when that one is
 * served; until then it renews the one before, or finds that there is nothing left to do for it.
 */
export class TimestampSchedule extends pulumi.ComponentResource {
  constructor(name: string, args: TimestampScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:platform:TimestampSchedule", name, {}, opts);
    const { signer, snapshot, schedule } = args;
    new k8s.batch.v1.CronJob(
      `${name}-cronjob`,
      {
        metadata: { name: "tuf-timestamp", namespace: signer.namespace, labels: signerLabels },
        spec: {
          schedule,
          timeZone: "Etc/UTC",
          concurrencyPolicy: "Forbid",
          // No startingDeadlineSeconds: a run that a night without power has left out is made up
          // for, however late.
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 3,
          jobTemplate: {
            metadata: { labels: signerLabels },
            spec: {
              backoffLimit: 3,
              activeDeadlineSeconds: 300,
              template: signer.pod(snapshot),
            },
          },
        },
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
