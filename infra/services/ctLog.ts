import * as pulumi from "@pulumi/pulumi";
import { ctLogPrefix } from "../platform/exposure.ts";
import { namespace } from "../platform/namespace.ts";
import { componentNamespace, ctLogName, ctLogSecretMount } from "../scaffold/names.ts";
import { ScaffoldRelease } from "../scaffold/release.ts";
import { ctLogValues } from "../scaffold/values.ts";
import { ctLogConfig } from "../trust/ctLogConfig.ts";
import { trustOptions } from "../trust/record.ts";
import type { FulcioCaRecord, LogRecord } from "../trust/records.ts";
import { encryptedKey, type TransparencyLog } from "../trust/transparencyLog.ts";
import type { ReleaseContext } from "./release.ts";
import { signerSecret } from "./signerSecret.ts";

export interface CtLogArgs extends ReleaseContext {
  /** Every generation that is served, by its resource name. */
  logs: Readonly<Record<string, TransparencyLog>>;
  /** Every CA whose certificates the logs take. */
  accepts: pulumi.Output<FulcioCaRecord>[];
  backend: { host: string; port: number };
  nodePort: number;
  replicas: number;
}

/**
 * The certificate transparency server. All that it reads is in one Secret: its configuration, each
 * log's encrypted key and each CA's root, so that roots and keys change as one.
 */
export class CtLog extends pulumi.ComponentResource {
  /** The server as Fulcio reaches it; a log's prefix follows. */
  readonly internalUrl: string;

  constructor(name: string, args: CtLogArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:services:CtLog", name, {}, opts);
    const parent = { parent: this };
    const space = componentNamespace(args.prefix, "ctlog");
    const home = namespace(space, args.labels, parent);
    const configSecret = signerSecret(
      `${name}-config`,
      home.metadata.name,
      secretData(args, parent),
      parent,
    );
    new ScaffoldRelease(
      `${name}-release`,
      {
        chart: args.chart,
        namespace: home.metadata.name,
        name: "ctlog",
        values: ctLogValues({
          namespace: space,
          image: args.images.ctServer,
          configSecret,
          exposure: { type: "nodePort", port: args.nodePort },
          replicas: args.replicas,
        }),
      },
      { ...parent, ...trustOptions },
    );
    this.internalUrl = `http://${ctLogName}.${space}.svc`;
    this.registerOutputs();
  }
}

const rootsFile = (ca: FulcioCaRecord) => `fulcio-ca-${ca.generation}.pem`;
const keyFile = (log: LogRecord) => `ctlog-${log.generation}.pem`;

function secretData(
  args: CtLogArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<Record<string, string>> {
  const logs: pulumi.Output<KeyedLog>[] = Object.entries(args.logs).map(([logName, log]) => {
    const key = encryptedKey(logName, log.privateKeyPem, opts);
    return pulumi
      .all([log.record, key.pem, key.password])
      .apply(([record, pem, password]): KeyedLog => ({ record, pem, password }));
  });
  return pulumi
    .all(logs)
    .apply((keyed) => pulumi.all(args.accepts).apply((roots) => files(keyed, roots, args.backend)));
}

/** A log with its key as ct_server reads it. */
interface KeyedLog {
  record: LogRecord;
  pem: string;
  password: string;
}

/** File name in the Secret → content. */
function files(
  logs: readonly KeyedLog[],
  cas: readonly FulcioCaRecord[],
  trillian: CtLogArgs["backend"],
): Record<string, string> {
  const config = ctLogConfig({
    logs: logs.map(({ record: log, password }) => ({
      generation: log.generation,
      prefix: ctLogPrefix(log.generation),
      treeId: log.treeId,
      publicKeyPem: log.publicKeyPem,
      privateKeyPath: `${ctLogSecretMount}/${keyFile(log)}`,
      privateKeyPassword: password,
    })),
    rootsPemFiles: cas.map((ca) => `${ctLogSecretMount}/${rootsFile(ca)}`),
    trillian,
  });
  return {
    config,
    ...Object.fromEntries(logs.map(({ record, pem }) => [keyFile(record), pem])),
    ...Object.fromEntries(cas.map((ca) => [rootsFile(ca), ca.chain.at(-1) ?? ""])),
  };
}
