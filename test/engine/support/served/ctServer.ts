import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import { treeHeadInput } from "../../../../infra/observe/sth.ts";
import { splitPem } from "../../../../cli/verify/certificates.ts";
import { NotStarted, type ContainerView } from "./container.ts";
import { json, notFound, plain, type Response, type Service } from "./http.ts";
import {
  bytesOf,
  messageOf,
  messagesOf,
  parseProtoText,
  scalarOf,
  type Message,
} from "./protoText.ts";
import type { Trees } from "./trees.ts";

interface Log {
  prefix: string;
  treeId: string;
  readOnly: boolean;
  key: KeyObject;
  roots: X509Certificate[];
}

/**
 * ct_server: the logs that its configuration names, with the keys and roots that lie beside it.
 * @throws {NotStarted} for a configuration that the real one refuses
 */
export function ctServer(view: ContainerView, trees: Trees): Service {
  const config = parse(view.text(view.flag("--log_config") ?? ""));
  const configs = messagesOf(messageOf(config, "log_configs"), "config");
  const logs = configs.map((log) => logOf(log, view));
  if (logs.length === 0) throw new NotStarted("no log_configs");
  for (const field of ["prefix", "treeId"] as const)
    if (new Set(logs.map((log) => log[field])).size < logs.length)
      throw new NotStarted(`Invalid config: duplicate ${field}`);
  return {
    get: (path, query = new URLSearchParams()) => {
      if (path === "/healthz") return plain("ok");
      const { log, endpoint } = placeOf(path, logs);
      if (log === undefined) return notFound;
      return trees.has(log.treeId) ? read(log, endpoint, trees, query) : noTree(log);
    },
    post: (path, body) => {
      const { log, endpoint } = placeOf(path, logs);
      // A log that is read-only has no add-chain at all.
      if (log === undefined || log.readOnly || endpoint !== "add-chain") return notFound;
      return trees.has(log.treeId) ? addChain(log, body, trees) : noTree(log);
    },
  };
}

/** RFC 6962, section 4: `/<prefix>/ct/v1/<endpoint>`. */
function placeOf(path: string, logs: readonly Log[]) {
  const [, prefix, endpoint = ""] = /^\/([^/]+)\/ct\/v1\/([a-z-]+)$/.exec(path) ?? [];
  return { log: logs.find((candidate) => candidate.prefix === prefix), endpoint };
}

function noTree({ treeId }: Log): Response {
  return plain(`tree ${treeId} not found`, 500);
}

function parse(text: string): Message {
  try {
    return parseProtoText(text);
  } catch (error) {
    throw new NotStarted(`Failed to parse the log config: ${(error as Error).message}`);
  }
}

/** One `configpb.LogConfig` (certificate-transparency-go, trillian/ctfe/configpb). */
function logOf(config: Message, view: ContainerView): Log {
  const prefix = bytesOf(config, "prefix")?.toString() ?? "";
  const treeId = scalarOf(config, "log_id");
  const readOnly = scalarOf(config, "is_readonly");
  const file = messageOf(
    messageOf(config, "private_key"),
    "[type.googleapis.com/keyspb.PEMKeyFile]",
  );
  const pem = view.text(bytesOf(file, "path")?.toString() ?? "");
  const key = decrypt(pem, bytesOf(file, "password")?.toString() ?? "");
  const der = bytesOf(messageOf(config, "public_key"), "der");
  if (der !== undefined && !der.equals(spki(key))) {
    throw new NotStarted(`${prefix}: public key is not consistent with private key`);
  }
  const paths = (config.get("roots_pem_file") ?? []).map(String);
  if (paths.length === 0) throw new NotStarted(`${prefix}: specify at least one roots_pem_file`);
  const roots = paths.flatMap((path) => splitPem(view.text(path)));
  return {
    prefix,
    treeId,
    readOnly: readOnly === "true",
    key,
    roots: roots.map((root) => new X509Certificate(root)),
  };
}

function decrypt(pem: string, passphrase: string): KeyObject {
  if (passphrase === "") throw new NotStarted("empty password for file");
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch {
    throw new NotStarted("failed to decrypt the private key");
  }
}

function spki(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

function read(log: Log, endpoint: string, trees: Trees, query: URLSearchParams): Response {
  if (endpoint === "get-sth") return json(treeHead(log, trees));
  if (endpoint === "get-sth-consistency") {
    const [first, second] = [Number(query.get("first")), Number(query.get("second"))];
    const path = trees.consistency(log.treeId, first, second);
    return json({ consistency: path.map((hash) => hash.toString("base64")) });
  }
  if (endpoint !== "get-roots") return notFound;
  return json({ certificates: log.roots.map(({ raw }) => raw.toString("base64")) });
}

function treeHead(log: Log, trees: Trees) {
  const head = {
    tree_size: trees.size(log.treeId),
    timestamp: Date.now(),
    sha256_root_hash: trees.rootHash(log.treeId).toString("base64"),
  };
  const input = treeHeadInput({ ...head, tree_head_signature: "" });
  return { ...head, tree_head_signature: digitallySigned(log.key, input).toString("base64") };
}

/** `{chain: [leaf, …]}` in base64 DER → a signed certificate timestamp over the leaf. */
function addChain(log: Log, body: Buffer, trees: Trees): Response {
  const { chain } = JSON.parse(body.toString()) as { chain: string[] };
  const certificates = chain.map((der) => new X509Certificate(Buffer.from(der, "base64")));
  const [leaf] = certificates;
  const last = certificates.at(-1);
  if (leaf === undefined || last === undefined || !endsIn(last, log.roots)) {
    return plain(
      "failed to verify add-chain contents: x509: certificate signed by unknown authority",
      400,
    );
  }
  trees.append(log.treeId);
  const timestamp = Date.now();
  return json({
    sct_version: 0,
    id: createHash("sha256").update(spki(log.key)).digest("base64"),
    timestamp,
    extensions: "",
    signature: digitallySigned(log.key, certificateInput(leaf.raw, timestamp)).toString("base64"),
  });
}

/** A submitted chain may hold the accepted root or stop below it. */
function endsIn(last: X509Certificate, roots: readonly X509Certificate[]): boolean {
  return roots.some((root) => root.raw.equals(last.raw) || last.verify(root.publicKey));
}

/**
 * What a log signs for a certificate (RFC 6962, section 3.2): version v1 = 0, signature type
 * certificate_timestamp = 0, timestamp, entry type x509_entry = 0, uint24 length and certificate,
 * no extensions.
 */
export function certificateInput(der: Buffer, timestamp: number): Buffer {
  const head = Buffer.alloc(15);
  head.writeBigUInt64BE(BigInt(timestamp), 2);
  head.writeUIntBE(der.length, 12, 3);
  return Buffer.concat([head, der, Buffer.alloc(2)]);
}

/** A TLS DigitallySigned (RFC 5246, section 4.7): sha256 = 4, ecdsa = 3, uint16 length, bytes. */
function digitallySigned(key: KeyObject, input: Buffer): Buffer {
  const signature = sign("sha256", input, key);
  const head = Buffer.of(4, 3, 0, 0);
  head.writeUInt16BE(signature.length, 2);
  return Buffer.concat([head, signature]);
}
