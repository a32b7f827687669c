import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { replaceable } from "../protect.ts";
import { trillianDatabase, trillianNames, trillianPorts } from "../scaffold/names.ts";
import { flagFile } from "../scaffold/postrender/flagFile.ts";
import { trustOptions } from "../trust/record.ts";
import { databaseFlags } from "./databaseFlags.ts";

export interface DatabaseArgs {
  namespace: pulumi.Input<string>;
  /** Size of the volume, a Kubernetes quantity. */
  size: string;
  /** The cluster's default if left out. */
  storageClass?: string | undefined;
}

const login = {
  ...trillianDatabase,
  host: trillianNames.database,
  port: trillianPorts.database,
};

/** What Trillian's MySQL needs from us: passwords, the Secrets that carry them, and the volume. */
export class Database extends pulumi.ComponentResource {
  /** Read by MySQL. */
  readonly secretName: pulumi.Output<string>;
  /** Read by Trillian's servers. */
  readonly flagSecretName: pulumi.Output<string>;
  readonly claimName: pulumi.Output<string>;

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:platform:Database", name, {}, opts);
    const parent = { parent: this };
    const password = (role: string) =>
      new random.RandomPassword(
        `${name}-${role}-password`,
        { length: 32, special: false },
        { ...parent, ...trustOptions },
      ).result;
    const trillianPassword = password("trillian");
    const secret = new k8s.core.v1.Secret(
      `${name}-login`,
      {
        metadata: { namespace: args.namespace },
        stringData: {
          "mysql-root-password": password("root"),
          "mysql-password": trillianPassword,
          "mysql-user": "trillian",
          "mysql-database": "trillian",
        },
      },
      { ...parent, ...replaceable },
    );
    const flags = new k8s.core.v1.Secret(
      `${name}-flags`,
      {
        metadata: { namespace: args.namespace },
        stringData: { [flagFile]: trillianPassword.apply((text) => databaseFlags(login, text)) },
      },
      { ...parent, ...replaceable },
    );
    this.secretName = secret.metadata.name;
    this.flagSecretName = flags.metadata.name;
    this.claimName = this.claim(name, args);
    this.registerOutputs();
  }

  private claim(name: string, args: DatabaseArgs): pulumi.Output<string> {
    const claim = new k8s.core.v1.PersistentVolumeClaim(
      `${name}-volume`,
      {
        metadata: {
          name: "trillian-mysql",
          namespace: args.namespace,
          // Some classes bind a volume only when a pod asks for it, and that pod comes later.
          annotations: { "pulumi.com/skipAwait": "true" },
        },
        spec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: args.size } },
          ...(args.storageClass === undefined ? {} : { storageClassName: args.storageClass }),
        },
      },
      { parent: this, ...trustOptions },
    );
    return claim.metadata.name;
  }
}
