import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { replaceable } from "../../protect.ts";
import type { RunAs } from "../../scaffold/values.ts";
import type { LogRecord } from "../../trust/records.ts";
import { proberLabels as labels } from "../tuf/labels.ts";
import { packed, probeProgram } from "./bundle.ts";
import { programKeys, proberPod, startScript } from "./pod.ts";
import { metricsPort, settingsFile } from "./program/settings.ts";
import { settingsOf, type Told } from "./settings.ts";

export interface ProberArgs extends Omit<Told, "namespace" | "account" | "memory"> {
  namespace: pulumi.Input<string>;
  /** Node 24, as a full reference. */
  image: string;
  /** Names of the Secrets that it is pulled with. */
  pullSecrets: readonly string[];
  runAs: RunAs;
  /** Whom its tokens are for: what Fulcio takes as this cluster's audience. */
  audience: string;
  initialRoot: pulumi.Input<string>;
  /** Every log that is served. */
  ctLogs: readonly pulumi.Output<LogRecord>[];
  rekors: readonly pulumi.Output<LogRecord>[];
}

/** The fixed names of its objects. */
export const proberName = "prober";
export const memoryName = "prober-memory";
/** How the Service calls its port. */
export const metricsPortName = "metrics";

/**
 * A pod that signs, verifies, and compares the logs with what they were, all the time, and serves
 * what it finds as metrics. It may read and replace one object, which holds the heads of the logs that
 * it has seen: a log that was rolled back while the probe was away is found as well.
 *
 * Nothing of it makes trust, so it can be left out again (`anchorhold:probe: none`): nothing is
 * protected, and something that is comes after it.
 */
export class Prober extends pulumi.ComponentResource {
  readonly #parts: pulumi.CustomResourceOptions;

  constructor(name: string, args: ProberArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:platform:Prober", name, {}, { ...opts, ...replaceable });
    this.#parts = { parent: this, ...replaceable };
    const { namespace, image, pullSecrets, runAs, audience } = args;
    const memory = new k8s.core.v1.ConfigMap(
      `${name}-memory`,
      // Nothing is said of its data, which is the probe's alone: an update neither sees nor touches it.
      { metadata: { name: memoryName, namespace, labels } },
      this.#parts,
    );
    const serviceAccount = this.account(name, namespace, memory.metadata.name);
    const template = proberPod({
      ...{ image, pullSecrets, runAs, audience, serviceAccount },
      program: this.program(name, namespace),
      settings: this.settings(name, args),
    });
    new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata: { name: proberName, namespace, labels },
        spec: {
          replicas: 1,
          // Two would remember into one object.
          strategy: { type: "Recreate" },
          selector: { matchLabels: labels },
          template,
        },
      },
      this.#parts,
    );
    const ports = [{ name: metricsPortName, port: metricsPort, targetPort: metricsPortName }];
    new k8s.core.v1.Service(
      `${name}-service`,
      { metadata: { name: proberName, namespace, labels }, spec: { selector: labels, ports } },
      this.#parts,
    );
    this.registerOutputs();
  }

  /** Its settings under a name of their own: other settings are another pod. */
  private settings(name: string, args: ProberArgs): pulumi.Output<string> {
    const data = pulumi
      .all([
        args.namespace,
        args.initialRoot,
        pulumi.all([...args.ctLogs]),
        pulumi.all([...args.rekors]),
      ])
      .apply(([namespace, initialRoot, ctLogs, rekors]) => {
        const told = { ...args, namespace, account: proberName, memory: memoryName };
        const settings = settingsOf(told, { initialRoot, ctLogs, rekors });
        return { [settingsFile]: `${JSON.stringify(settings, null, 2)}\n` };
      });
    return new k8s.core.v1.ConfigMap(
      `${name}-settings`,
      { metadata: { namespace: args.namespace, labels }, data, immutable: true },
      this.#parts,
    ).metadata.name;
  }

  private program(name: string, namespace: pulumi.Input<string>): pulumi.Output<string> {
    const binaryData = pulumi
      .output(probeProgram())
      .apply((program) => ({ [programKeys.packed]: packed(program) }));
    const data = { [programKeys.start]: startScript };
    return new k8s.core.v1.ConfigMap(
      `${name}-program`,
      { metadata: { namespace, labels }, data, binaryData, immutable: true },
      this.#parts,
    ).metadata.name;
  }

  /** A service account that may read and replace its memory, and nothing else. */
  private account(
    name: string,
    namespace: pulumi.Input<string>,
    memory: pulumi.Input<string>,
  ): pulumi.Output<string> {
    const metadata = { name: proberName, namespace };
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      this.#parts,
    );
    const own = {
      ...{ apiGroups: [""], resources: ["configmaps"], resourceNames: [memory] },
      verbs: ["get", "update"],
    };
    const role = new k8s.rbac.v1.Role(`${name}-role`, { metadata, rules: [own] }, this.#parts);
    const binding = new k8s.rbac.v1.RoleBinding(
      `${name}-binding`,
      {
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
        subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
      },
      this.#parts,
    );
    // Whoever runs as the account waits for its rights.
    return pulumi.all([account.metadata.name, binding.id]).apply(([accountName]) => accountName);
  }
}
