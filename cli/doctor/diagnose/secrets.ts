import { X509Certificate } from "node:crypto";
import { keyFingerprint } from "../../verify/certificates.ts";
import { spkiFingerprint } from "../collect/keys.ts";
import type { Evidence, ManagedObject, SecretEntry, SecretFacts } from "../evidence.ts";
import { refOf, title } from "../kubernetes.ts";
import { fulcioSecretKeys, rekorSecretKey, tsaSecretKeys } from "../../../infra/scaffold/names.ts";
import { ctLogSecret } from "./ctLogSecret.ts";
import { commands, componentOf, type Component, type Fault, type SecretFault } from "./fault.ts";
import { fulcioSecret } from "./fulcioSecret.ts";
import { seen } from "./rules.ts";
import { rewritten } from "./rewritten.ts";

/** Secrets whose content is not what the records say, or that somebody else has written. */
export function changedSecrets(evidence: Evidence): Fault[] {
  const { prefix } = evidence.state.outputs;
  return evidence.state.objects.flatMap((managed) => {
    const place = title(refOf(managed.expected));
    const [facts, live] = [evidence.secrets[place], evidence.live[place]];
    if (facts === undefined || live === undefined) return [];
    const component = componentOf(managed.expected.metadata.namespace ?? "", prefix);
    const found = isCertificate(managed) ? [] : contentFaults(component, facts, evidence);
    const all = found.length > 0 ? merged(found) : unknownWriter(component, managed, live);
    return all.map((fault): Fault => ({
      explains: ["serving", "identity", "accepts"],
      ...fault,
      component,
      place,
      command: commands.refresh,
      repair: { type: "pulumi" },
    }));
  });
}

/** A copy of the certificate for a host name, beside what a component signs with. */
function isCertificate({ expected }: ManagedObject): boolean {
  return expected["type"] === "kubernetes.io/tls";
}

/** One fault of a kind in a Secret, with all its causes. */
function merged(found: readonly SecretFault[]): SecretFault[] {
  const ids = new Set(found.map(({ id }) => id));
  return [...ids].map((id) => {
    const same = found.filter((fault) => fault.id === id);
    return { ...same[0]!, cause: same.map(({ cause }) => cause).join(" ") };
  });
}

function contentFaults(
  component: Component,
  facts: SecretFacts,
  { state: { outputs } }: Evidence,
): SecretFault[] {
  const { records, life } = outputs;
  switch (component) {
    case "fulcio":
      return fulcioSecret(facts, records.fulcioCa[life.fulcioCa.issues], fulcioSecretKeys);
    case "ctlog":
      return ctLogSecret(facts, outputs);
    case "tsa": {
      const leaf = records.tsa[life.tsa.issues]?.chain[0];
      const key = leaf && spkiFingerprint(new X509Certificate(leaf).publicKey);
      return keyFault(facts.entries[tsaSecretKeys.privateKey], key, "tsa-key-changed", [
        seen.timestamps,
      ]);
    }
    case "tuf": {
      const record = records.tufOnline[life.tufOnline.issues];
      const key = record && keyFingerprint(record.timestampKeyPem);
      const users = [seen.refresh, "expired at"];
      return keyFault(facts.entries["key.pem"], key, "tuf-key-changed", users);
    }
    case "trillian":
    case "stack":
      return [];
    default: {
      const record = records.rekor[component.slice("rekor-".length)];
      const key = record && keyFingerprint(record.publicKeyPem);
      return keyFault(facts.entries[rekorSecretKey], key, "rekor-key-changed", [
        seen.rekorKey,
        seen.entries,
      ]);
    }
  }
}

function keyFault(
  entry: SecretEntry | undefined,
  recorded: string | undefined,
  id: string,
  users: readonly string[],
): SecretFault[] {
  if (recorded === undefined) return [];
  if (entry?.type === "key" && entry.fingerprint === recorded) return [];
  const what = entry?.type === "key" ? "is another than the recorded one" : "is no key any more";
  return [{ id, users, cause: `The private key in the Secret ${what}.` }];
}

/** For what no record tells: passwords, and bytes that make no difference yet. */
function unknownWriter(
  component: Component,
  managed: ManagedObject,
  live: Parameters<typeof rewritten>[1],
): SecretFault[] {
  const writer = rewritten(managed, live);
  if (writer === undefined) return [];
  if (isCertificate(managed)) {
    return [
      {
        id: "certificate-changed",
        users: [seen.x509],
        cause: `The certificate of the host name was written by ${writer}.`,
        // What the pods are asked goes past it.
        explains: [],
      },
    ];
  }
  if (component === "trillian") {
    return [
      {
        id: "database-login-changed",
        users: ["unexpected result from transparency log", seen.ctl],
        cause:
          `The database's login was changed by ${writer}; the database itself knows the former ` +
          "one, so whatever restarts cannot log in.",
      },
    ];
  }
  return [{ id: "secret-changed", users: [], cause: `The Secret was written by ${writer}.` }];
}
