import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

export interface ProbeArgs {
  namespace: pulumi.Input<string>;
}

/**
 * The identity that `anchorhold verify` signs with where the cluster is an issuer. It has no rights
 * and no token lies in a Secret: a short-lived one is asked for when it is needed.
 */
export class Probe extends pulumi.ComponentResource {
  readonly serviceAccount: pulumi.Output<string>;

  constructor(name: string, args: ProbeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:platform:Probe", name, {}, opts);
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      {
        metadata: { name: "probe", namespace: args.namespace },
        automountServiceAccountToken: false,
      },
      { parent: this },
    );
    this.serviceAccount = account.metadata.name;
    this.registerOutputs();
  }
}
