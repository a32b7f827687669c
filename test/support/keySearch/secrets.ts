import { createPrivateKey } from "node:crypto";
import { encryptLegacyPem, keyPassword } from "../../../infra/trust/keyMaterial.ts";
import { layersOf } from "./layers.ts";

/** Something that must be found nowhere but where it is meant to be. */
export interface Secret {
  /** Whose it is: a resource's name such as `fulcio-ca-1-key`; never the secret itself. */
  name: string;
  /** Raw bytes: a P-256 scalar, an Ed25519 seed, a password's characters. */
  bytes: Buffer;
  /** The PEM texts in which a key is kept; none of a password. */
  pems: string[];
}

/** The parts of `pulumi stack export --show-secrets` that are read here. */
export interface ExportedResources {
  deployment: {
    resources?: { urn: string; type: string; inputs?: unknown; outputs?: unknown }[];
  };
}

const pemPattern =
  /-----BEGIN (?:EC )?PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+-----END (?:EC )?PRIVATE KEY-----\n?/g;

/**
 * Every secret of a state whose secrets are shown: each private key that any resource holds as PEM,
 * the CT log's form of it (a sealed PEM and its password), and each generated password.
 * @throws when a private key cannot be read, or the state has none: a search without needles would
 *   find nothing and prove nothing
 */
export function secretsOf({ deployment: { resources = [] } }: ExportedResources): Secret[] {
  const byValue = new Map<string, Secret>();
  // The resource that made a key names it; others only hold it.
  const isHolder = ({ type }: Resource) => (/^(tls|random):/.test(type) ? 0 : 1);
  for (const resource of resources.toSorted((a, b) => isHolder(a) - isHolder(b)))
    for (const secret of secretsIn(resource)) {
      const value = secret.bytes.toString("hex");
      const { name, pems } = byValue.get(value) ?? { ...secret, pems: [] };
      byValue.set(value, { ...secret, name, pems: [...new Set([...pems, ...secret.pems])] });
    }
  const all = [...byValue.values()];
  if (!all.some(({ pems }) => pems.length > 0)) throw new Error("the state has no private key");
  return all.flatMap((secret) => [secret, ...sealed(secret)]);
}

type Resource = NonNullable<ExportedResources["deployment"]["resources"]>[number];

function* secretsIn({ urn, type, inputs, outputs }: Resource): Generator<Secret> {
  const name = urn.split("::").at(-1) ?? urn;
  for (const value of textsOf([inputs, outputs]))
    for (const { text } of layersOf(Buffer.from(value)))
      for (const [pem] of text.matchAll(pemPattern)) yield keyIn(pem, name);
  if (type !== "random:index/randomPassword:RandomPassword") return;
  for (const password of textsOf((outputs as { result?: unknown }).result))
    yield { name, bytes: Buffer.from(password), pems: [] };
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

function keyIn(pem: string, name: string): Secret {
  const { d } = createPrivateKey(pem).export({ format: "jwk" });
  if (d === undefined) throw new Error(`${name}: a private key of a kind that is not searched for`);
  return { name, bytes: Buffer.from(d, "base64url"), pems: [pem] };
}

/** The CT log's keys are kept in encrypted files, whose passwords are made from the keys. */
function sealed({ name, pems: [pem] }: Secret): Secret[] {
  if (pem === undefined || createPrivateKey(pem).asymmetricKeyType !== "ec") return [];
  const password = keyPassword(pem);
  const [line = ""] = encryptLegacyPem(pem, password).match(/^[A-Za-z0-9+/]{64}$/m) ?? [];
  return [
    { name: `${name}, sealed`, bytes: Buffer.from(line), pems: [] },
    { name: `${name}, password of its file`, bytes: Buffer.from(password), pems: [] },
  ];
}
