// Certificates of the local node: made once, kept in <home>/pki until a purge.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { generateKeyPairSync, randomBytes, webcrypto } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { stringify } from "yaml";
import { addresses, nodeName } from "./layout.ts";
import { ports } from "./ports.ts";

const curve = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** One certificate: which CA signs it, whom it names, what it may be used for. */
export interface CertificateSpec {
  name: string;
  ca: "ca" | "etcd-ca";
  commonName: string;
  organization?: string;
  server?: string[];
  client?: boolean;
}

/**
 * All certificates of the node. Names and groups are those that Kubernetes' built-in RBAC binds
 * (https://kubernetes.io/docs/setup/best-practices/certificates/). etcd has a CA of its own: a
 * certificate of the cluster must not open the database.
 */
export const certificates: readonly CertificateSpec[] = [
  {
    name: "kube-apiserver",
    ca: "ca",
    commonName: "kube-apiserver",
    server: [
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      "kubernetes.default.svc.cluster.local",
      "localhost",
      "127.0.0.1",
      addresses.node,
      addresses.apiService,
    ],
  },
  {
    name: "kube-apiserver-kubelet",
    ca: "ca",
    commonName: "kube-apiserver-kubelet-client",
    organization: "system:masters",
    client: true,
  },
  { name: "kubelet-server", ca: "ca", commonName: nodeName, server: [nodeName, addresses.node] },
  {
    name: "kubelet",
    ca: "ca",
    commonName: `system:node:${nodeName}`,
    organization: "system:nodes",
    client: true,
  },
  {
    name: "kube-controller-manager",
    ca: "ca",
    commonName: "system:kube-controller-manager",
    client: true,
  },
  { name: "kube-scheduler", ca: "ca", commonName: "system:kube-scheduler", client: true },
  { name: "kube-proxy", ca: "ca", commonName: "system:kube-proxy", client: true },
  {
    name: "admin",
    ca: "ca",
    commonName: "anchorhold-admin",
    organization: "system:masters",
    client: true,
  },
  { name: "etcd", ca: "etcd-ca", commonName: "etcd", server: ["127.0.0.1"], client: true },
  { name: "kube-apiserver-etcd", ca: "etcd-ca", commonName: "kube-apiserver", client: true },
];

/** Components that talk to the API server, each with a kubeconfig of its own in the folder. */
const kubeconfigs = ["kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy"];

const day = 24 * 60 * 60 * 1000;
const lifetime = 3650 * day;

/** Makes the folder of keys, certificates and kubeconfigs unless it is there, whole or not at all. */
export async function ensurePki(folder: string, kubeconfig: string): Promise<void> {
  if (!existsSync(folder)) {
    const unfinished = `${folder}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true, mode: 0o700 });
    await makePki(unfinished);
    renameSync(unfinished, folder);
  }
  writeSecret(kubeconfig, kubeconfigFor(folder, "admin"));
}

async function makePki(folder: string): Promise<void> {
  x509.cryptoProvider.set(webcrypto);
  const authorities = {
    ca: await makeAuthority(folder, "ca"),
    "etcd-ca": await makeAuthority(folder, "etcd-ca"),
  };
  for (const spec of certificates) await makeCertificate(folder, spec, authorities[spec.ca]);
  for (const name of kubeconfigs) {
    writeSecret(join(folder, `${name}.kubeconfig`), kubeconfigFor(folder, name));
  }
  // RSA: every OpenID Connect library accepts RS256 tokens, not all accept ES256.
  const tokens = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeSecret(join(folder, "sa.key"), tokens.privateKey.export({ type: "pkcs8", format: "pem" }));
  writeSecret(join(folder, "sa.pub"), tokens.publicKey.export({ type: "spki", format: "pem" }));
}

interface Authority {
  keys: webcrypto.CryptoKeyPair;
  certificate: x509.X509Certificate;
}

async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=anchorhold-local-${name}`,
    ...validity(),
    keys,
    signingAlgorithm: curve,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writePair(folder, name, keys, certificate);
  return { keys, certificate };
}

async function makeCertificate(
  folder: string,
  spec: CertificateSpec,
  authority: Authority,
): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const organization = spec.organization === undefined ? [] : [{ O: [spec.organization] }];
  const usages = [
    ...(spec.server ? [x509.ExtendedKeyUsage.serverAuth] : []),
    ...(spec.client ? [x509.ExtendedKeyUsage.clientAuth] : []),
  ];
  const names = (spec.server ?? []).map((value) => ({
    type: isIP(value) ? ("ip" as const) : ("dns" as const),
    value,
  }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: new x509.Name([...organization, { CN: [spec.commonName] }]).toString(),
    issuer: authority.certificate.subject,
    ...validity(),
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: curve,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages),
      await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  await writePair(folder, spec.name, keys, certificate);
}

/** 16 random bytes, the first between 0x40 and 0x7f: positive, and never with a leading zero. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes.toString("hex");
}

function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - day), notAfter: new Date(now + lifetime) };
}

async function writePair(
  folder: string,
  name: string,
  keys: webcrypto.CryptoKeyPair,
  certificate: x509.X509Certificate,
): Promise<void> {
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  writeSecret(join(folder, `${name}.key`), x509.PemConverter.encode(key, "PRIVATE KEY"));
  writeSecret(join(folder, `${name}.crt`), certificate.toString("pem"));
}

function writeSecret(path: string, text: string | Buffer): void {
  writeFileSync(path, text, { mode: 0o600 });
  chmodSync(path, 0o600); // the mode above counts only for a new file
}

/** A kubeconfig that holds its certificates itself, for the user of certificate `name`. */
function kubeconfigFor(folder: string, name: string): string {
  const data = (file: string): string => readFileSync(join(folder, file)).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "anchorhold-local",
        cluster: {
          server: `https://${addresses.node}:${ports["kube-apiserver"]}`,
          "certificate-authority-data": data("ca.crt"),
        },
      },
    ],
    users: [
      {
        name,
        user: {
          "client-certificate-data": data(`${name}.crt`),
          "client-key-data": data(`${name}.key`),
        },
      },
    ],
    contexts: [{ name: "anchorhold-local", context: { cluster: "anchorhold-local", user: name } }],
    "current-context": "anchorhold-local",
  });
}
