import type { StackOutputs } from "../../../infra/outputs.ts";
import type { Allowed } from "./search.ts";

/**
 * Where secrets are meant to be: each key of each Secret, with the one secret that it has. Only the
 * generations that sign or are served have a key there, and the TUF root nowhere.
 */
export function meantFor({ prefix, life }: StackOutputs): Allowed[] {
  const at = (space: string, key: string, secret: string): Allowed => ({
    where: new RegExp(`Secret ${prefix}-${space}-[0-9a-f]{8} ${key.replaceAll(".", "\\.")}`),
    secret: new RegExp(secret),
  });
  const login = "trillian/trillian-database-login";
  // ct_server wants the key of every log that it serves, also of one that is only read.
  const logs = [...life.ctLog.accepts, ...life.ctLog.readOnly];
  return [
    at("fulcio/fulcio-signer", "private", `fulcio-ca-${life.fulcioCa.issues}-key`),
    at("tsa/tsa-signer", "private", `tsa-${life.tsa.issues}-key`),
    ...life.rekor.accepts.map((n) =>
      at(`rekor-${n}/rekor-${n}-server-signer`, "private", `rekor-${n}-key`),
    ),
    ...logs.flatMap((n) => [
      at("ctlog/ctlog-config", `ctlog-${n}.pem`, `ctlog-${n}-key, sealed`),
      at("ctlog/ctlog-config", "config", `ctlog-${n}-key, password of its file`),
    ]),
    at("tuf/tuf-mirror-signer-key", "key.pem", `tuf-online-${life.tufOnline.issues}-timestamp-key`),
    at(login, "mysql-root-password", "trillian-database-root-password"),
    at(login, "mysql-password", "trillian-database-trillian-password"),
    at("trillian/trillian-database-flags", "flags", "trillian-database-trillian-password"),
  ];
}
