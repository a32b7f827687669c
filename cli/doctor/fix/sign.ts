import { randomBytes } from "node:crypto";
import { CannotRun } from "../../errors.ts";
import type { ObjectApi } from "../api.ts";
import { signers } from "../diagnose/timestamps.ts";
import type { Evidence } from "../evidence.ts";
import { at, isRecord, refOf, type KubeObject, type Ref } from "../kubernetes.ts";
import type { Pause } from "./restart.ts";

/** Runs the CronJob that signs timestamp.json now, and lets the mirror's pods look at once. */
export async function signTimestamp(
  api: ObjectApi,
  evidence: Evidence,
  pause: Pause,
): Promise<string> {
  const [cronJob] = signers(evidence);
  if (cronJob === undefined) {
    throw new CannotRun(
      "There is no CronJob that signs timestamp.json; pulumi up --refresh makes it.",
    );
  }
  const job = jobOf(cronJob);
  const ref = refOf(job);
  await api.create(ref, job);
  await finished(api, ref, pause);
  await poke(api, evidence);
  return `signed timestamp.json with Job ${ref.namespace}/${ref.name}`;
}

/** A Job as `kubectl create job --from` makes it; it goes ten minutes after its end. */
function jobOf(cronJob: KubeObject): KubeObject {
  const template = at(cronJob, "spec", "jobTemplate");
  const spec = at(template, "spec");
  const { name, namespace = "", uid } = cronJob.metadata;
  const labels = at(template, "metadata", "labels");
  const owner = { apiVersion: cronJob.apiVersion, kind: cronJob.kind, name, uid };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: `${name}-doctor-${randomBytes(3).toString("hex")}`,
      namespace,
      ...(isRecord(labels) ? { labels: labels as Record<string, string> } : {}),
      annotations: { "cronjob.kubernetes.io/instantiate": "manual" },
      ...{ ownerReferences: [owner] },
    },
    spec: { ...(isRecord(spec) ? spec : {}), ttlSecondsAfterFinished: 600 },
  };
}

async function finished(api: ObjectApi, job: Ref, pause: Pause): Promise<void> {
  for (let second = 0; second < 120; second++) {
    const live = await api.get(job);
    if (Number(at(live, "status", "succeeded") ?? 0) > 0) return;
    if (Number(at(live, "status", "failed") ?? 0) > 0) break;
    await pause(1000);
  }
  throw new CannotRun(
    `The Job that signs timestamp.json did not succeed. See why: kubectl logs --namespace ` +
      `${job.namespace} job/${job.name}`,
  );
}

/** A changed annotation has a pod's files brought up to date at once, instead of within a minute. */
async function poke(api: ObjectApi, { served, now }: Evidence): Promise<void> {
  const change = { metadata: { annotations: { "anchorhold.dev/renewed": now.toISOString() } } };
  for (const { namespace, pod } of served.tuf) {
    await api.merge({ apiVersion: "v1", kind: "Pod", namespace, name: pod }, change);
  }
}
