import { createHash } from "node:crypto";
import { posix } from "node:path";
import { certificateFingerprint, splitPem } from "../../verify/certificates.ts";
import type { CtLogEntryFacts, CtLogFacts } from "../evidence.ts";
import { keyPair } from "./keys.ts";
import { messages, octets, parseProtoText, scalar, texts, type Message } from "./protoText.ts";

type Files = Readonly<Record<string, string>>;

/** ct_server's configuration, with the keys and roots that it names in the same Secret. */
export function ctLogFacts(config: string, files: Files): CtLogFacts {
  try {
    const top = parseProtoText(config);
    const [backends] = messages(top, "backends");
    const [logs] = messages(top, "log_configs");
    return {
      backend: scalar(messages(backends, "backend")[0], "backend_spec"),
      logs: messages(logs, "config").map((log) => logFacts(log, files)),
    };
  } catch {
    return { backend: undefined, logs: [] };
  }
}

function logFacts(log: Message, files: Files): CtLogEntryFacts {
  const [privateKey] = messages(log, "private_key");
  const [file] = messages(privateKey, "[type.googleapis.com/keyspb.PEMKeyFile]");
  const der = octets(messages(log, "public_key")[0], "der");
  const pem = files[posix.basename(scalar(file, "path") ?? "")];
  return {
    prefix: scalar(log, "prefix") ?? "",
    treeId: scalar(log, "log_id") ?? "",
    readOnly: scalar(log, "is_readonly") === "true",
    publicKey: der && createHash("sha256").update(der).digest("hex"),
    privateKey: pem === undefined ? undefined : keyPair(pem, scalar(file, "password")),
    roots: texts(log, "roots_pem_file").flatMap((path) =>
      rootsIn(files[posix.basename(path)] ?? ""),
    ),
  };
}

function rootsIn(pem: string): string[] {
  try {
    return splitPem(pem).map(certificateFingerprint);
  } catch {
    return [];
  }
}
