import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { imagePullSecrets } from "../../scaffold/pullSecrets.ts";
import { fixedSizes } from "../../scaffold/sizes.ts";
import { containerSecurity, ownPodSecurity, type RunAs } from "../../scaffold/values.ts";
import { signerLabels } from "./labels.ts";
import { programEntry, programKey } from "./programFiles.ts";

/** A snapshot.json in a ConfigMap. */
export interface SnapshotSource {
  configMap: pulumi.Input<string>;
  key: pulumi.Input<string>;
}

/** What a pod of the signer is made of; names are of objects in its namespace. */
export interface SignerPodArgs {
  namespace: pulumi.Input<string>;
  /** Node 24, as a full reference. */
  image: string;
  /** Names of the Secrets that it is pulled with. */
  pullSecrets: readonly string[];
  runAs: RunAs;
  serviceAccount: pulumi.Input<string>;
  /** Secret with `key.pem`. */
  secret: pulumi.Input<string>;
  /** ConfigMap with the program, and the paths of its files. */
  program: pulumi.Input<string>;
  programPaths: readonly string[];
  /** ConfigMap that is read and written. */
  state: pulumi.Input<string>;
  lifeSeconds: number;
}

const place = {
  program: "/opt/anchorhold",
  key: "/run/anchorhold/key",
  snapshot: "/run/anchorhold/snapshot",
  account: "/var/run/secrets/kubernetes.io/serviceaccount",
};

/** A pod that signs the timestamp of one snapshot and ends. */
export function signerPod(
  args: SignerPodArgs,
  snapshot: SnapshotSource,
): k8s.types.input.core.v1.PodTemplateSpec {
  const programItems = args.programPaths.map((path) => ({ key: programKey(path), path }));
  return {
    metadata: { labels: signerLabels },
    spec: {
      restartPolicy: "Never",
      serviceAccountName: args.serviceAccount,
      automountServiceAccountToken: true,
      enableServiceLinks: false,
      ...imagePullSecrets(args.pullSecrets),
      securityContext: ownPodSecurity(args.runAs),
      containers: [container(args)],
      volumes: [
        { name: "program", configMap: { name: args.program, items: programItems } },
        { name: "key", secret: { secretName: args.secret, defaultMode: 0o440 } },
        {
          name: "snapshot",
          configMap: {
            name: snapshot.configMap,
            items: [{ key: snapshot.key, path: "snapshot.json" }],
          },
        },
      ],
    },
  };
}

function container(args: SignerPodArgs): k8s.types.input.core.v1.Container {
  return {
    name: "signer",
    image: args.image,
    imagePullPolicy: "IfNotPresent",
    command: ["node", `${place.program}/${programEntry}`],
    args: [
      ...["--server", "kubernetes.default.svc", "--account", place.account],
      ...["--namespace", args.namespace, "--object", args.state],
      ...["--snapshot", `${place.snapshot}/snapshot.json`, "--key", `${place.key}/key.pem`],
      ...["--life", String(args.lifeSeconds)],
    ],
    securityContext: containerSecurity(),
    resources: fixedSizes.timestampSigner,
    volumeMounts: [
      { name: "program", mountPath: place.program, readOnly: true },
      { name: "key", mountPath: place.key, readOnly: true },
      { name: "snapshot", mountPath: place.snapshot, readOnly: true },
    ],
  };
}
