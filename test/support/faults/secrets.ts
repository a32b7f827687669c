import { fulcioCaRecord, ecKeyPair } from "../../unit/trust/fixture.ts";
import { makeFulcioCa } from "../../../infra/trust/certificates.ts";
import { changedByte, edit, rewrite, type Fault, type Place } from "./cluster.ts";

const fulcioSigner: Place = ["Secret", "fulcio", "fulcio-signer"];
const ctLogConfig: Place = ["Secret", "ctlog", "ctlog-config"];
const rekorSigner: Place = ["Secret", "rekor-1", "rekor-1-server-signer"];
const tsaSigner: Place = ["Secret", "tsa", "tsa-signer"];
const tufSigner: Place = ["Secret", "tuf", "tuf-mirror-signer-key"];
const login: Place = ["Secret", "trillian", "trillian-database-login"];
const flags: Place = ["Secret", "trillian", "trillian-database-flags"];

/** One byte under a key of a Secret. */
function byte(name: string, expects: string, place: Place, key: string, within?: RegExp): Fault {
  return {
    name: `a byte of ${name}`,
    expects,
    part: place[1],
    byte: true,
    mender: "pulumi",
    inject: (target) =>
      edit(target, place, (secret) => rewrite(secret, key, (text) => changedByte(text, within))),
  };
}

/** A CA with a key of its own, as the chart's createcerts makes one. */
export async function otherCa() {
  const { privateKeyPem } = ecKeyPair();
  const subject = { organization: "other", commonName: "other" };
  const chain = await makeFulcioCa({ privateKeyPem, subject, notBefore: new Date(), years: 10 });
  return { privateKeyPem, chain: chain.join("") };
}

/** Faults in what the services' Secrets hold. */
export const secretFaults: readonly Fault[] = [
  {
    name: "Fulcio's CA is replaced, as createcerts does",
    expects: "fulcio-ca-replaced",
    part: "fulcio",
    mender: "pulumi",
    async inject(target) {
      const { privateKeyPem, chain } = await otherCa();
      await edit(target, fulcioSigner, (secret) => {
        rewrite(secret, "cert", () => chain);
        rewrite(secret, "private", () => privateKeyPem);
      });
    },
  },
  byte("Fulcio's certificate", "fulcio-ca-replaced", fulcioSigner, "cert"),
  byte("Fulcio's key", "fulcio-key-changed", fulcioSigner, "private"),
  {
    name: "the CT log has another CA in place of Fulcio's",
    expects: "ctlog-root-missing",
    part: "ctlog",
    mender: "pulumi",
    async inject(target) {
      const { chain } = await fulcioCaRecord(1);
      await edit(target, ctLogConfig, (secret) =>
        rewrite(secret, "fulcio-ca-1.pem", () => chain.join("")),
      );
    },
  },
  byte("the CT log's CA root", "ctlog-root-missing", ctLogConfig, "fulcio-ca-1.pem"),
  byte("the CT log's tree id", "ctlog-tree-changed", ctLogConfig, "config", /log_id: \d\d/),
  byte("the CT log's prefix", "ctlog-config-changed", ctLogConfig, "config", /prefix: "ctlog-\d/),
  byte(
    "the CT log's public key",
    "ctlog-key-changed",
    ctLogConfig,
    "config",
    /der: "[^"]*\\\d\d\d/,
  ),
  byte("the CT log's key", "ctlog-key-changed", ctLogConfig, "ctlog-1.pem"),
  byte(
    "the password of the CT log's key",
    "ctlog-key-changed",
    ctLogConfig,
    "config",
    /password: "[^"]*?[A-Za-z0-9]/,
  ),
  byte("Rekor's key", "rekor-key-changed", rekorSigner, "private"),
  byte("the TSA's key", "tsa-key-changed", tsaSigner, "private"),
  byte("the key of TUF's timestamp", "tuf-key-changed", tufSigner, "key.pem"),
  byte("the database's password", "database-login-changed", login, "mysql-password"),
  byte("the password that Trillian logs in with", "database-login-changed", flags, ""),
];
