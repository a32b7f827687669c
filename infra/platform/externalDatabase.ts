import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { replaceable } from "../protect.ts";
import { caFile, flagFile } from "../scaffold/postrender/flagFile.ts";
import { databaseFlags, type DatabaseLogin } from "./databaseFlags.ts";

export interface ExternalDatabaseArgs {
  namespace: pulumi.Input<string>;
  login: DatabaseLogin;
  /** A secret. */
  password: pulumi.Output<string>;
}

/** What Trillian's servers need of a database that is not the stack's: a file with its address. */
export class ExternalDatabase extends pulumi.ComponentResource {
  /** Read by Trillian's servers. */
  readonly flagSecretName: pulumi.Output<string>;
  /** Whether that Secret has CA certificates, which the database's own must come from. */
  readonly hasCa: boolean;

  constructor(name: string, args: ExternalDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:platform:ExternalDatabase", name, {}, opts);
    const { tls } = args.login;
    this.hasCa = tls !== undefined && tls.ca !== "system";
    const flags = new k8s.core.v1.Secret(
      `${name}-flags`,
      {
        metadata: { namespace: args.namespace },
        stringData: {
          [flagFile]: args.password.apply((password) => databaseFlags(args.login, password)),
          ...(tls === undefined || !this.hasCa ? {} : { [caFile]: tls.ca }),
        },
      },
      { parent: this, ...replaceable },
    );
    this.flagSecretName = flags.metadata.name;
    this.registerOutputs();
  }
}
