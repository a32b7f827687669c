import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { replaceable } from "../../protect.ts";
import type { RunAs } from "../../scaffold/values.ts";
import { signerSecret } from "../../services/signerSecret.ts";
import { programFiles, programKey } from "./programFiles.ts";
import { signerLabels } from "./labels.ts";
import { signerPod, type SnapshotSource } from "./signerPod.ts";

export interface TimestampSignerArgs {
  namespace: pulumi.Input<string>;
  /** Node 24, as a full reference. */
  image: string;
  /** Names of the Secrets that it is pulled with. */
  pullSecrets: readonly string[];
  runAs: RunAs;
  /** The key of the timestamp role as PEM; a secret. */
  privateKeyPem: pulumi.Input<string>;
  /** Life of a timestamp from its signing. */
  lifeSeconds: number;
}

/** The fixed name of the object with the signed timestamps. */
export const stateName = "tuf-timestamp";

/**
 * Who signs timestamp.json: a program inside the cluster with one key and the right to write one
 * object, so that clients depend on no pipeline. This is all that it needs; a Job of each
 * `TufRevision` and the CronJob of `TimestampSchedule` run it.
 */
export class TimestampSigner extends pulumi.ComponentResource {
  /** Name of the ConfigMap with the signed timestamps. */
  readonly state: pulumi.Output<string>;
  /** Changes when that ConfigMap is made anew. */
  readonly stateUid: pulumi.Output<string>;
  readonly namespace: pulumi.Output<string>;
  private readonly podOf: (snapshot: SnapshotSource) => k8s.types.input.core.v1.PodTemplateSpec;

  constructor(name: string, args: TimestampSignerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:platform:TimestampSigner", name, {}, opts);
    const parent = { parent: this };
    const { namespace } = args;
    // A name of its own for each key: the schedule of the revision that is still served keeps the
    // key that its clients know.
    const secret = signerSecret(
      `${name}-key`,
      namespace,
      { "key.pem": args.privateKeyPem },
      parent,
    );
    const program = programOf(`${name}-program`, namespace, parent);
    const state = stateOf(name, namespace, parent);
    const serviceAccount = accountOf(name, namespace, state.metadata.name, parent);
    this.namespace = pulumi.output(namespace);
    this.state = state.metadata.name;
    this.stateUid = state.metadata.uid;
    this.podOf = (snapshot) =>
      signerPod(
        {
          ...{ namespace, image: args.image, pullSecrets: args.pullSecrets, runAs: args.runAs },
          ...{ lifeSeconds: args.lifeSeconds, secret },
          ...{ serviceAccount, state: this.state, ...program },
        },
        snapshot,
      );
    this.registerOutputs();
  }

  /** A pod that signs the timestamp of a snapshot and ends. */
  pod(snapshot: SnapshotSource): k8s.types.input.core.v1.PodTemplateSpec {
    return this.podOf(snapshot);
  }
}

function programOf(
  name: string,
  namespace: pulumi.Input<string>,
  parent: pulumi.CustomResourceOptions,
) {
  const files = programFiles();
  const data = Object.fromEntries(
    Object.entries(files).map(([path, text]) => [programKey(path), text]),
  );
  const map = new k8s.core.v1.ConfigMap(
    name,
    { metadata: { namespace, labels: signerLabels }, data, immutable: true },
    { ...parent, ...replaceable },
  );
  return { program: map.metadata.name, programPaths: Object.keys(files) };
}

/**
 * Pulumi makes the object and says nothing of its data, which is the signer's alone: an update
 * neither sees nor touches it. It needs no protection, since the versions of timestamps grow with
 * the time, whether or not somebody remembers the last one.
 */
function stateOf(
  name: string,
  namespace: pulumi.Input<string>,
  parent: pulumi.CustomResourceOptions,
): k8s.core.v1.ConfigMap {
  return new k8s.core.v1.ConfigMap(
    `${name}-state`,
    { metadata: { name: stateName, namespace, labels: signerLabels } },
    parent,
  );
}

/** A service account that may read and replace the one object, and nothing else. */
function accountOf(
  name: string,
  namespace: pulumi.Input<string>,
  state: pulumi.Input<string>,
  parent: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const metadata = { name: "tuf-signer", namespace };
  const account = new k8s.core.v1.ServiceAccount(
    `${name}-account`,
    { metadata, automountServiceAccountToken: false },
    parent,
  );
  const role = new k8s.rbac.v1.Role(
    `${name}-role`,
    {
      metadata,
      rules: [
        {
          apiGroups: [""],
          resources: ["configmaps"],
          resourceNames: [state],
          verbs: ["get", "update"],
        },
      ],
    },
    parent,
  );
  const binding = new k8s.rbac.v1.RoleBinding(
    `${name}-binding`,
    {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
    },
    parent,
  );
  // Whoever runs as the account waits for its rights.
  return pulumi.all([account.metadata.name, binding.id]).apply(([accountName]) => accountName);
}
