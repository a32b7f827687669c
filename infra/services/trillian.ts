import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config.ts";
import { trillianWayOut } from "../config/wayOut.ts";
import { Database } from "../platform/database.ts";
import { ExternalDatabase } from "../platform/externalDatabase.ts";
import { namespace } from "../platform/namespace.ts";
import {
  componentNamespace,
  trillianHost,
  trillianNames,
  trillianPorts,
} from "../scaffold/names.ts";
import { ScaffoldRelease } from "../scaffold/release.ts";
import { trillianValues, type TrillianArgs as TrillianValuesArgs } from "../scaffold/values.ts";
import { trustOptions } from "../trust/record.ts";
import type { TreeAccess } from "../trust/tree.ts";
import { wayOut } from "./outward.ts";
import type { ReleaseContext } from "./release.ts";

export interface TrillianArgs extends ReleaseContext {
  database: Config["database"];
  /** Of an external database. */
  databasePassword: pulumi.Output<string> | undefined;
  treeAccess: Config["treeAccess"];
  /** The kubeconfig's context, where the stack names one. */
  context: string | undefined;
  /** Of the log server. */
  replicas: number;
}

/** What the Release's values say of the database. */
function databaseOf(
  name: string,
  { database, databasePassword }: TrillianArgs,
  namespace: pulumi.Input<string>,
  opts: pulumi.ComponentResourceOptions,
): Pick<TrillianValuesArgs, "database" | "flagSecret"> {
  if (!("external" in database)) {
    const own = new Database(name, { namespace, ...database }, opts);
    return {
      database: { secret: own.secretName, claim: own.claimName },
      flagSecret: own.flagSecretName,
    };
  }
  if (databasePassword === undefined) throw new Error("an external database has a password");
  const { external: login } = database;
  const other = new ExternalDatabase(name, { namespace, login, password: databasePassword }, opts);
  const { host, port } = login;
  return { database: { host, port, hasCa: other.hasCa }, flagSecret: other.flagSecretName };
}

/** The logs' backend: log server, log signer and, unless it is external, the MySQL that keeps the trees. */
export class Trillian extends pulumi.ComponentResource {
  /** The log server as Rekor and ct_server reach it. */
  readonly backend: { host: string; port: number };
  /** The same as this program reaches it. */
  readonly access: TreeAccess;

  constructor(name: string, args: TrillianArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:services:Trillian", name, {}, opts);
    const parent = { parent: this };
    const space = componentNamespace(args.prefix, "trillian");
    const home = namespace(space, args.guard(space), parent);
    const { name: inNamespace } = home.namespace.metadata;
    const database = databaseOf(`${name}-database`, args, inNamespace, parent);
    new ScaffoldRelease(
      `${name}-release`,
      {
        chart: args.chart,
        namespace: home.namespace.metadata.name,
        name: "trillian",
        values: trillianValues({
          namespace: space,
          images: {
            logServer: args.images.trillianLogServer,
            logSigner: args.images.trillianLogSigner,
            database: args.images.database,
            netcat: args.images.netcat,
          },
          ...database,
          replicas: args.replicas,
          podAnnotations: wayOut(
            name,
            inNamespace,
            trillianWayOut(args.database, args.wayOut),
            parent,
          ),
          pullSecrets: args.pullSecrets,
          sizes: args.sizes,
          runAs: args.runAs,
        }),
      },
      { ...parent, ...trustOptions, dependsOn: [home.guard] },
    );
    this.backend = { host: trillianHost(space), port: trillianPorts.rpc };
    this.access =
      args.treeAccess.type === "given"
        ? args.treeAccess
        : {
            type: "portForward",
            service: `${space}/${trillianNames.logServer}`,
            port: trillianPorts.rpc,
            context: args.context,
          };
    this.registerOutputs();
  }
}
