// @peculiar/x509 wants the reflection metadata before it is loaded.
import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const day = 86_400_000;

type Keys = Awaited<ReturnType<typeof newKeys>>;
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
const pemOf = (keys: Keys) =>
  String(KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }));

/** A server's certificate with its key, as PEM. */
export interface ServerPair {
  certificatePem: string;
  privateKeyPem: string;
}

/** A company's own CA, which nobody's system trusts; a root and what it issues to servers. */
export class PrivateCa {
  readonly certificatePem: string;
  /** Of the root; a test of refusals alone needs it. */
  readonly privateKeyPem: string;
  private readonly root: x509.X509Certificate;
  private readonly keys: Keys;

  private constructor(root: x509.X509Certificate, keys: Keys) {
    this.root = root;
    this.keys = keys;
    this.certificatePem = `${root.toString("pem")}\n`;
    this.privateKeyPem = pemOf(keys);
  }

  static async create(name = "Company Root CA", end = new Date(Date.now() + 365 * day)) {
    const keys = await newKeys();
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      keys,
      name: `CN=${name}`,
      notBefore: new Date(Math.min(Date.now(), end.getTime()) - day),
      notAfter: end,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new PrivateCa(root, keys);
  }

  /** A certificate for names and addresses. */
  async issue(...names: string[]): Promise<ServerPair> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject: "CN=server",
      issuer: this.root.subject,
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + 30 * day),
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(this.root),
      ],
    });
    return { certificatePem: `${certificate.toString("pem")}\n`, privateKeyPem: pemOf(keys) };
  }
}
