import { publicKeyDer } from "./keyMaterial.ts";

/** One log that ct_server serves. */
export interface CtLogEntry {
  generation: number;
  /** The path that the log's endpoints lie under, without slashes around it. */
  prefix: string;
  /** Trillian's tree id: a decimal int64, as text. */
  treeId: string;
  publicKeyPem: string;
  /** Where ct_server finds the encrypted key (`encryptLegacyPem`), and its password. */
  privateKeyPath: string;
  privateKeyPassword: string;
  /** A log that is read but takes no more certificates; it still needs its key. */
  readOnly?: boolean;
}

/**
 * ct_server's configuration: a `configpb.LogMultiConfig` of certificate-transparency-go as
 * protobuf text, for a server that runs without `--log_rpc_server`.
 *
 * The key is named by file and password, never inline: ct_server prints inline keys into its log
 * when a configuration is invalid. The password is in this text, so the text belongs in a Secret.
 *
 * @param args.rootsPemFiles the certificates that a submitted chain may end in, one path for each
 *   CA generation
 * @throws when two logs share a prefix, a tree or a key, or a password is empty: ct_server would
 *   refuse to start
 */
export function ctLogConfig(args: {
  logs: readonly CtLogEntry[];
  rootsPemFiles: readonly string[];
  trillian: { host: string; port: number };
}): string {
  assertDistinct(args.logs);
  const backend = `${args.trillian.host}:${args.trillian.port}`;
  return [
    "backends {",
    `  backend { name: "trillian" backend_spec: ${quote(backend)} }`,
    "}",
    "log_configs {",
    ...args.logs.flatMap((log) => logConfig(log, args.rootsPemFiles)),
    "}",
    "",
  ].join("\n");
}

function logConfig(log: CtLogEntry, rootsPemFiles: readonly string[]): string[] {
  return [
    "  config {",
    `    log_id: ${decimal(log.treeId)}`,
    `    prefix: ${quote(log.prefix)}`,
    ...rootsPemFiles.map((file) => `    roots_pem_file: ${quote(file)}`),
    "    private_key {",
    "      [type.googleapis.com/keyspb.PEMKeyFile] {",
    `        path: ${quote(log.privateKeyPath)}`,
    `        password: ${quote(log.privateKeyPassword)}`,
    "      }",
    "    }",
    `    public_key { der: ${quote(publicKeyDer(log.publicKeyPem))} }`,
    '    ext_key_usages: "CodeSigning"',
    '    log_backend_name: "trillian"',
    ...(log.readOnly ? ["    is_readonly: true"] : []),
    "  }",
  ];
}

function assertDistinct(logs: readonly CtLogEntry[]): void {
  const fields = { prefix: "a prefix", treeId: "a tree", publicKeyPem: "a key" } as const;
  for (const field of Object.keys(fields) as (keyof typeof fields)[]) {
    if (new Set(logs.map((log) => log[field])).size < logs.length) {
      throw new Error(`two CT log generations share ${fields[field]}`);
    }
  }
  const open = logs.find((log) => log.privateKeyPassword === "");
  if (open) throw new Error(`CT log generation ${open.generation}: the key's password is empty`);
}

function decimal(treeId: string): string {
  if (!/^\d+$/.test(treeId)) throw new Error(`a tree id is a decimal number, not ${treeId}`);
  return treeId;
}

/**
 * A protobuf text literal for a string or bytes field: every byte that is not plain printable
 * ASCII as an octal escape (protobuf.dev, text format specification, "String Literals").
 */
function quote(value: string | Buffer): string {
  const escaped = [...Buffer.from(value)].map((byte) => {
    const char = String.fromCharCode(byte);
    const plain = byte >= 0x20 && byte < 0x7f && char !== '"' && char !== "\\";
    return plain ? char : `\\${byte.toString(8).padStart(3, "0")}`;
  });
  return `"${escaped.join("")}"`;
}
