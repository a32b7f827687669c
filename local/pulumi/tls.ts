import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";
import { bridgedPlugin, type BridgedType } from "./bridged.ts";
import { textAt, type Props } from "./values.ts";

/** The curves of `ecdsaCurve`: Node's name, OpenSSH's name, bytes of a private scalar. */
const CURVES: Readonly<Record<string, { node: string; ssh: string; size: number }>> = {
  P256: { node: "P-256", ssh: "nistp256", size: 32 },
  P384: { node: "P-384", ssh: "nistp384", size: 48 },
  P521: { node: "P-521", ssh: "nistp521", size: 66 },
};

interface Key {
  privateKey: KeyObject;
  publicKey: KeyObject;
  /** PEM in the algorithm's own form: SEC 1 for ECDSA, PKCS #8 for ED25519. */
  privateKeyPem: string;
  /** OpenSSH's name of the key type. */
  sshType: string;
  /** The public key in SSH wire form (RFC 4253, RFC 5656, RFC 8709). */
  sshPublic: Buffer;
  /** The private part in OpenSSH's form (PROTOCOL.key). */
  sshPrivate: Buffer;
}

/** A length-prefixed byte string of the SSH wire format. */
function sshString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as Uint8Array);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A non-negative number of the SSH wire format: no leading zeros, but one before a set high bit. */
function sshNumber(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const trimmed = bytes.subarray(first);
  return sshString(
    (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed,
  );
}

function field(key: KeyObject, name: "x" | "y" | "d", size: number): Buffer {
  const bytes = Buffer.from(key.export({ format: "jwk" })[name] ?? "", "base64url");
  return Buffer.concat([Buffer.alloc(size - bytes.length), bytes]);
}

function ecdsaKey(curveName: string): Key {
  const curve = CURVES[curveName];
  if (curve === undefined) {
    const known = Object.keys(CURVES).join(", ");
    throw new Error(`tls.PrivateKey: ecdsaCurve ${curveName} is not one of ${known}.`);
  }
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve.node });
  const [x, y, d] = (["x", "y", "d"] as const).map((name) => field(privateKey, name, curve.size));
  const point = Buffer.concat([Buffer.from([4]), x ?? "", y ?? ""] as Buffer[]);
  const sshType = `ecdsa-sha2-${curve.ssh}`;
  const sshPublic = Buffer.concat([sshString(sshType), sshString(curve.ssh), sshString(point)]);
  return {
    privateKey,
    publicKey,
    privateKeyPem: privateKey.export({ format: "pem", type: "sec1" }).toString(),
    sshType,
    sshPublic,
    sshPrivate: Buffer.concat([sshPublic, sshNumber(d ?? Buffer.alloc(0))]),
  };
}

function ed25519Key(): Key {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const [x, d] = (["x", "d"] as const).map((name) => field(privateKey, name, 32)) as [
    Buffer,
    Buffer,
  ];
  const sshPublic = Buffer.concat([sshString("ssh-ed25519"), sshString(x)]);
  return {
    privateKey,
    publicKey,
    privateKeyPem: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    sshType: "ssh-ed25519",
    sshPublic,
    sshPrivate: Buffer.concat([sshPublic, sshString(Buffer.concat([d, x]))]),
  };
}

/** An unencrypted OpenSSH private key without a comment (openssh-portable, PROTOCOL.key). */
function opensshPem(key: Key): string {
  const check = randomBytes(4);
  const body = Buffer.concat([check, check, key.sshPrivate, sshString("")]);
  const padding = Buffer.from(Array.from({ length: -body.length & 7 }, (_, i) => i + 1));
  const one = Buffer.from([0, 0, 0, 1]);
  const all = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...[sshString("none"), sshString("none"), sshString(""), one],
    sshString(key.sshPublic),
    sshString(Buffer.concat([body, padding])),
  ]);
  const lines = all.toString("base64").match(/.{1,70}/g) ?? [];
  const label = "OPENSSH PRIVATE KEY";
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function outputsOf(key: Key): Props {
  const md5 = createHash("md5").update(key.sshPublic).digest("hex");
  const sha256 = createHash("sha256").update(key.sshPublic).digest("base64");
  return {
    privateKeyPem: key.privateKeyPem,
    privateKeyPemPkcs8: key.privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    privateKeyOpenssh: opensshPem(key),
    publicKeyPem: key.publicKey.export({ format: "pem", type: "spki" }).toString(),
    publicKeyOpenssh: `${key.sshType} ${key.sshPublic.toString("base64")}\n`,
    publicKeyFingerprintMd5: (md5.match(/../g) ?? []).join(":"),
    publicKeyFingerprintSha256: `SHA256:${sha256.replace(/=+$/, "")}`,
  };
}

function generateKey(inputs: Props): { id: string; outputs: Props } {
  const algorithm = textAt(inputs, "algorithm");
  if (algorithm !== "ECDSA" && algorithm !== "ED25519") {
    throw new Error(`tls.PrivateKey: the stand-in makes ECDSA and ED25519 keys, not ${algorithm}.`);
  }
  const key = algorithm === "ECDSA" ? ecdsaKey(textAt(inputs, "ecdsaCurve")) : ed25519Key();
  const der = key.publicKey.export({ format: "der", type: "spki" });
  return { id: createHash("sha1").update(der).digest("hex"), outputs: outputsOf(key) };
}

const SECRETS = ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"] as const;

const privateKey: BridgedType = {
  defaults: { ecdsaCurve: "P224", rsaBits: 2048 },
  optional: [],
  computed: [
    ...SECRETS,
    "publicKeyFingerprintMd5",
    "publicKeyFingerprintSha256",
    "publicKeyOpenssh",
    "publicKeyPem",
  ],
  secrets: SECRETS,
  schemaVersion: "1",
  generate: (inputs) => Promise.resolve(generateKey(inputs)),
};

/** Stand-in for pulumi-tls: keys only. */
export const tlsPlugin = bridgedPlugin("tls", {
  "tls:index/privateKey:PrivateKey": privateKey,
});
