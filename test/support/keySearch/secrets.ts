import { createPrivateKey } from "node:crypto";
import { keyPassword } from "../../../infra/trust/keyMaterial.ts";

/** Something that must be found nowhere but where it is meant to be. */
export interface Secret {
  /** Whose it is: a resource's name such as `fulcio-ca-1-key`; never the secret itself. */
  name: string;
  /** Raw bytes: a P-256 scalar, an Ed25519 seed, a password's characters. */
  bytes: Buffer;
  /** The PEM texts in which a key is kept. */
  pems: string[];
}

/** The parts of `pulumi stack export --show-secrets` that are read here. */
export interface ExportedResources {
  deployment: {
    resources?: { urn: string; type: string; inputs?: unknown; outputs?: unknown }[];
  };
}

const pemPattern =
  /-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----[^]*?-----END ([A-Z0-9]+ )*PRIVATE KEY-----\n?/g;

/**
 * Every secret of a state whose secrets are shown: each private key that any resource holds as PEM,
 * the password that its file has, and each generated password.
 * @throws when a private key cannot be read, or the state has none: a search without needles would
 *   find nothing and prove nothing
 */
export function secretsOf({ deployment: { resources = [] } }: ExportedResources): Secret[] {
  const byValue = new Map<string, Secret>();
  // The resource that made a key names it; others only hold it.
  const makers = (type: string) => (type.startsWith("tls:") || type.startsWith("random:") ? 0 : 1);
  for (const resource of resources.toSorted((a, b) => makers(a.type) - makers(b.type)))
    for (const secret of secretsIn(resource)) {
      const key = secret.bytes.toString("hex");
      const known = byValue.get(key);
      byValue.set(key, known ? { ...known, pems: [...known.pems, ...secret.pems] } : secret);
    }
  const all = [...byValue.values()].map((secret) => ({
    ...secret,
    pems: [...new Set(secret.pems)],
  }));
  if (!all.some(({ pems }) => pems.length > 0)) throw new Error("the state has no private key");
  return [...all, ...filePasswords(all)];
}

function* secretsIn(resource: {
  urn: string;
  type: string;
  inputs?: unknown;
  outputs?: unknown;
}): Generator<Secret> {
  const name = resource.urn.split("::").at(-1) ?? resource.urn;
  for (const text of textsOf([resource.inputs, resource.outputs]))
    for (const [pem] of text.matchAll(pemPattern)) yield keyIn(pem, name);
  const { result } = (resource.outputs ?? {}) as { result?: unknown };
  if (resource.type === "random:index/randomPassword:RandomPassword")
    for (const text of textsOf(result)) yield { name, bytes: Buffer.from(text), pems: [] };
}

/** Marks a value as special in Pulumi's state (sdk/go/common/resource/sig/sig.go). */
const secretMark = "4dabf18193072939515e22adb298388d";

/** Every text in a state's value; a shown secret is JSON in the field `plaintext`. */
function* textsOf(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  if (typeof value !== "object" || value === null) return;
  const isShown = secretMark in value && "plaintext" in value;
  const inside = isShown ? [JSON.parse(String(value.plaintext)) as unknown] : Object.values(value);
  for (const inner of inside) yield* textsOf(inner);
}

/** A key by its number; one whose PEM is encrypted, or of OpenSSH's own form, by its text alone. */
function keyIn(pem: string, name: string): Secret {
  if (/ENCRYPTED|OPENSSH/.test(pem))
    return { name: `${name} (sealed PEM)`, bytes: Buffer.from(pemBody(pem)), pems: [] };
  const { d } = createPrivateKey(pem).export({ format: "jwk" });
  if (d === undefined) throw new Error(`${name}: a private key of a kind that is not searched for`);
  return { name, bytes: Buffer.from(d, "base64url"), pems: [pem] };
}

/** The longest line of a sealed PEM that differs from key to key. */
function pemBody(pem: string): string {
  const lines = pem.split("\n").filter((line) => /^[A-Za-z0-9+/=]{40,}$/.test(line));
  return lines.at(-1) ?? pem;
}

/** The CT log's keys are kept in files whose passwords are made from them. */
function filePasswords(secrets: readonly Secret[]): Secret[] {
  return secrets.flatMap(({ name, pems: [pem] }) => {
    if (pem === undefined || createPrivateKey(pem).asymmetricKeyType !== "ec") return [];
    return [{ name: `${name} (file password)`, bytes: Buffer.from(keyPassword(pem)), pems: [] }];
  });
}
