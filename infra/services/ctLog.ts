import * as pulumi from "@pulumi/pulumi";
import { ctLogPrefix } from "../platform/exposure.ts";
import { namespace } from "../platform/namespace.ts";
import { componentNamespace, ctLogName, ctLogSecretMount, podPorts } from "../scaffold/names.ts";
import { ScaffoldRelease } from "../scaffold/release.ts";
import { tlsProxyAnnotations } from "../scaffold/tlsProxy.ts";
import { ctLogValues, type Exposure } from "../scaffold/values.ts";
import { ctLogConfig } from "../trust/ctLogConfig.ts";
import { trustOptions } from "../trust/record.ts";
import type { FulcioCaRecord, LogRecord } from "../trust/records.ts";
import type { ByGeneration } from "../trust/each.ts";
import { encryptedKey, type EncryptedKey, type TransparencyLog } from "../trust/transparencyLog.ts";
import type { ReleaseContext } from "./release.ts";
import { signerSecret } from "./signerSecret.ts";

export interface CtLogArgs extends ReleaseContext {
  /** Every generation that is served, by number. */
  logs: ByGeneration<TransparencyLog>;
  /** Generations that take no more certificates. */
  readOnly: readonly number[];
  /** Every CA whose certificates the logs take, by generation. */
  accepts: ByGeneration<{ record: pulumi.Output<FulcioCaRecord> }>;
  backend: { host: string; port: number };
  exposure: Exposure;
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
    const generations = (of: ByGeneration<unknown>) => Object.keys(of).map(Number);
    // Plain words for the preview: what the Secret holds is secret there.
    const shown = {
      serves: generations(args.logs),
      readOnly: args.readOnly,
      acceptsFulcioCas: generations(args.accepts),
    };
    super("anchorhold:services:CtLog", name, shown, opts);
    const parent = { parent: this };
    const space = componentNamespace(args.prefix, "ctlog");
    const home = namespace(space, args.guard(space), parent);
    const configSecret = signerSecret(
      `${name}-config`,
      home.namespace.metadata.name,
      secretData(args),
      parent,
    );
    new ScaffoldRelease(
      `${name}-release`,
      {
        chart: args.chart,
        namespace: home.namespace.metadata.name,
        name: "ctlog",
        values: ctLogValues({
          namespace: space,
          image: args.images.ctServer,
          configSecret,
          exposure: args.exposure,
          replicas: args.replicas,
          pullSecrets: args.pullSecrets,
          sizes: args.sizes,
          runAs: args.runAs,
          podAnnotations: tlsProxyAnnotations(args.tlsProxy, { http: podPorts.ctLog }),
        }),
      },
      { ...parent, ...trustOptions, dependsOn: [home.guard] },
    );
    this.internalUrl = `http://${ctLogName}.${space}.svc`;
    this.registerOutputs();
  }
}

const rootsFile = (ca: FulcioCaRecord) => `fulcio-ca-${ca.generation}.pem`;
const keyFile = (log: LogRecord) => `ctlog-${log.generation}.pem`;

function secretData(args: CtLogArgs): pulumi.Output<Record<string, string>> {
  const logs = Object.values(args.logs).map((log) =>
    pulumi.all([log.record, encryptedKey(log.privateKeyPem)]).apply(([record, key]): KeyedLog => ({
      record,
      ...key,
      readOnly: args.readOnly.includes(record.generation),
    })),
  );
  return pulumi
    .all([pulumi.all(logs), pulumi.all(Object.values(args.accepts).map(({ record }) => record))])
    .apply(([keyed, roots]) => files(keyed, roots, args.backend));
}

/** A log with its key as ct_server reads it. */
interface KeyedLog extends EncryptedKey {
  record: LogRecord;
  readOnly: boolean;
}

/** File name in the Secret → content. */
function files(
  logs: readonly KeyedLog[],
  cas: readonly FulcioCaRecord[],
  trillian: CtLogArgs["backend"],
): Record<string, string> {
  const config = ctLogConfig({
    logs: logs.map(({ record: log, password, readOnly }) => ({
      generation: log.generation,
      prefix: ctLogPrefix(log.generation),
      treeId: log.treeId,
      publicKeyPem: log.publicKeyPem,
      privateKeyPath: `${ctLogSecretMount}/${keyFile(log)}`,
      privateKeyPassword: password,
      readOnly,
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
