import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Volume } from "../config/volume.ts";
import { replaceable } from "../protect.ts";
import { trillianDatabase, trillianNames, trillianPorts } from "../scaffold/names.ts";
import { flagFile } from "../scaffold/postrender/flagFile.ts";
import { trustOptions } from "../trust/record.ts";
import { databaseFlags } from "./databaseFlags.ts";
import { volumeClaim } from "./volumeClaim.ts";

export interface DatabaseArgs extends Volume {
  namespace: pulumi.Input<string>;
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
    const claim = { ...args, claimName: trillianNames.database };
    this.claimName = volumeClaim(`${name}-volume`, claim, parent);
    this.registerOutputs();
  }
}
