import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";

/** A Secret as the API gives it: base64 by key. */
export interface TlsSecret {
  type?: string | undefined;
  data?: Readonly<Record<string, string>> | undefined;
}

/** What a Secret of type kubernetes.io/tls holds, as PEM: the leaf first. The key is a secret. */
export interface ServerCertificate {
  certificatePem: string;
  privateKeyPem: string;
}

const tlsType = "kubernetes.io/tls";

/**
 * Every reason why clients would refuse these hosts with this Secret's certificate. Nothing of the
 * key gets into a reason.
 * @param place how the Secret is called in reasons: NAMESPACE/NAME
 * @param secret undefined where there is none
 */
export function certificateProblems(
  place: string,
  secret: TlsSecret | undefined,
  hosts: readonly string[],
  now: Date,
): string[] {
  if (secret === undefined)
    return [`the Secret ${place} does not exist: kubectl create secret tls, or name another`];
  if (secret.type !== tlsType)
    return [`the Secret ${place} is of type ${secret.type ?? "Opaque"}, not ${tlsType}`];
  const { certificatePem, privateKeyPem } = readTls(secret);
  const leaf = parsed(() => new X509Certificate(certificatePem));
  if (leaf === undefined)
    return [`the Secret ${place} holds no PEM certificate that can be read under tls.crt`];
  const key = parsed(() => createPrivateKey(privateKeyPem));
  return [...keyProblems(leaf, key), ...timeProblems(leaf, now), ...hostProblems(leaf, hosts)].map(
    (problem) => `the Secret ${place} ${problem}`,
  );
}

/** The PEM texts of a Secret; empty where a key is missing. */
export function readTls({ data = {} }: TlsSecret): ServerCertificate {
  const text = (name: string) => Buffer.from(data[name] ?? "", "base64").toString();
  return { certificatePem: text("tls.crt"), privateKeyPem: text("tls.key") };
}

function parsed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function keyProblems(leaf: X509Certificate, key: KeyObject | undefined): string[] {
  if (key === undefined) return ["holds no PEM key without a password under tls.key"];
  if (leaf.checkPrivateKey(key)) return [];
  return ["holds a key that is not the first certificate's: put the server's certificate first"];
}

function timeProblems({ validFromDate, validToDate }: X509Certificate, now: Date): string[] {
  if (now > validToDate)
    return [`holds a certificate that expired at ${validToDate.toISOString()}: renew it`];
  if (now < validFromDate)
    return [`holds a certificate that is not valid before ${validFromDate.toISOString()}`];
  return [];
}

/** As clients read it today (RFC 9525): names among the SANs alone, `*` for one whole label. */
function hostProblems(leaf: X509Certificate, hosts: readonly string[]): string[] {
  const options = { subject: "never", partialWildcards: false } as const;
  const missing = hosts.filter((host) => leaf.checkHost(host, options) === undefined);
  if (missing.length === 0) return [];
  const covered = leaf.subjectAltName ?? "no names at all";
  return [`holds a certificate for ${covered}, which does not cover ${missing.join(", ")}`];
}
