import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { replaceable } from "../../protect.ts";
import { flattenPath, snapshotPath } from "../../trust/tuf/repository.ts";
import { sha256 } from "../../trust/tuf/signature.ts";
import { timestampKey } from "../../trust/tuf/timestampState.ts";
import { mirrorLabels as labels, signerLabels } from "./labels.ts";
import { nginxConfig } from "./nginx.ts";
import { servingPod, type ServingPodArgs } from "./servingPod.ts";
import type { TimestampSigner } from "./signer.ts";
import type { SnapshotSource } from "./signerPod.ts";

export interface TufRevisionArgs extends ServingPodArgs {
  namespace: pulumi.Input<string>;
  /** Path below the mirror's URL → content; all but timestamp.json. */
  files: pulumi.Input<Record<string, string>>;
  /** Of the newest snapshot.json among them. */
  version: pulumi.Input<number>;
  /** Hash of what is published; on the pods, so that people can compare. */
  revision: pulumi.Input<string>;
  signer: TimestampSigner;
  /** Makes what its pods wait for, from the labels that they will have. */
  before?: ((labels: pulumi.Output<Record<string, string>>) => pulumi.Resource) | undefined;
}

/** On the pods of one serving state, and in the selector of the Service that sends clients to it. */
export const servingLabel = "anchorhold.dev/serving";

/**
 * One serving state of the TUF mirror: the repository in an immutable ConfigMap, a Job that has its
 * timestamp signed, and pods that serve both. Whatever changes, a new state is made beside the one
 * that serves, under names and a label of its own, and nobody asks it before `TufService` says so.
 *
 * One replica: a renewed timestamp reaches two pods seconds apart, and a client that meets an older
 * timestamp after a newer one fails hard.
 */
export class TufRevision extends pulumi.ComponentResource {
  /** The labels of exactly these pods; known to others only when the pods are ready. */
  readonly selector: pulumi.Output<Record<string, string>>;
  /** The snapshot whose timestamp they serve. */
  readonly snapshot: SnapshotSource;

  constructor(name: string, args: TufRevisionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:platform:TufRevision", name, {}, opts);
    const repository = this.repository(name, args);
    const key = pulumi.output(args.version).apply((n) => flattenPath(snapshotPath(n)));
    this.snapshot = { configMap: repository.metadata.name, key };
    const job = this.signing(name, args);
    const pods = podTemplate(args, repository.metadata.name);
    const before = args.before?.(pods.apply((pod) => pod.metadata.labels));
    const deployment = new k8s.apps.v1.Deployment(
      `${name}-server`,
      {
        metadata: {
          // Named by its label: an update that was killed here and is run again must not make a
          // second Deployment whose pods the same selector takes.
          name: pods.apply((pod) => `tuf-${pod.metadata.labels[servingLabel]}`),
          namespace: args.namespace,
          labels: pods.apply((pod) => pod.metadata.labels),
        },
        spec: {
          replicas: 1,
          selector: { matchLabels: pods.apply((pod) => pod.metadata.labels) },
          template: pods,
        },
      },
      { parent: this, dependsOn: before ? [job, before] : [job], ...replaceable },
    );
    this.selector = deployment.spec.selector.matchLabels;
    this.registerOutputs();
  }

  private repository(name: string, args: TufRevisionArgs): k8s.core.v1.ConfigMap {
    const data = pulumi.output(args.files).apply((files) => ({
      "nginx.conf": nginxConfig(args.certificate !== undefined),
      ...Object.fromEntries(Object.entries(files).map(([path, text]) => [flattenPath(path), text])),
    }));
    return new k8s.core.v1.ConfigMap(
      `${name}-repository`,
      { metadata: { namespace: args.namespace, labels }, data, immutable: true },
      { parent: this, ...replaceable },
    );
  }

  /** Has the timestamp signed, once for each repository, and again if the signed ones are lost. */
  private signing(name: string, { namespace, signer }: TufRevisionArgs): k8s.batch.v1.Job {
    const template = signer.pod(this.snapshot);
    return new k8s.batch.v1.Job(
      `${name}-signing`,
      {
        metadata: {
          namespace,
          labels: signerLabels,
          // A Job that failed for good is made anew by the next update, not waited for.
          annotations: { "pulumi.com/replaceUnready": "true" },
        },
        spec: {
          backoffLimit: 5,
          activeDeadlineSeconds: 540,
          template: {
            ...template,
            metadata: {
              labels: signerLabels,
              annotations: { "anchorhold.dev/state": signer.stateUid },
            },
          },
        },
      },
      { parent: this, ...replaceable },
    );
  }
}

interface PodTemplate {
  metadata: { labels: Record<string, string>; annotations: Record<string, string> };
  spec: k8s.types.input.core.v1.PodSpec;
}

/** The pods, labelled by a hash over all that they are: another template is another label. */
function podTemplate(
  args: TufRevisionArgs,
  repository: pulumi.Output<string>,
): pulumi.Output<PodTemplate> {
  return pulumi
    .all([args.files, args.version, args.revision, repository, args.signer.state])
    .apply(([files, version, revision, repositoryName, stateName]): PodTemplate => {
      const spec = servingPod(args, Object.keys(files), {
        repository: repositoryName,
        timestamp: { name: stateName, key: timestampKey(version) },
      });
      const serving = `${version}-${sha256(JSON.stringify(spec)).slice(0, 12)}`;
      return {
        metadata: {
          labels: { ...labels, [servingLabel]: serving },
          annotations: { "anchorhold.dev/revision": revision },
        },
        spec,
      };
    });
}
