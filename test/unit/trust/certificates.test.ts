import { createPrivateKey, X509Certificate } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { makeFulcioCa, makeTsaChain } from "../../../infra/trust/certificates.ts";
import { ecKeyPair, subject } from "./fixture.ts";
import { openssl } from "./openssl.ts";

const notBefore = new Date("2026-01-02T03:04:05Z");

/** Seconds since 1970, as `openssl verify -attime` takes them. */
function unix(date: string): string {
  return String(Date.parse(date) / 1000);
}

function extensionsOf(pem: string): string {
  return openssl(["x509", "-in", "certificate", "-noout", "-text"], { certificate: pem }).output;
}

describe.each([
  ["P-256", "pkcs8"],
  ["P-256", "sec1"],
  ["P-384", "pkcs8"],
] as const)("Fulcio's CA from a %s key in %s", (curve, form) => {
  const keys = ecKeyPair(curve, form);
  let root = "";
  beforeAll(async () => {
    const args = { privateKeyPem: keys.privateKeyPem, subject, notBefore, years: 10 };
    const chain = await makeFulcioCa(args);
    expect(chain).toHaveLength(1);
    root = chain[0] ?? "";
  });

  test("is the given key, named and dated as asked", () => {
    const certificate = new X509Certificate(root);
    expect(certificate.publicKey.export({ type: "spki", format: "pem" })).toBe(keys.publicKeyPem);
    expect(certificate.toLegacyObject().subject).toMatchObject({
      O: subject.organization,
      CN: subject.commonName,
    });
    expect(certificate.validFromDate).toEqual(notBefore);
    expect(certificate.validToDate).toEqual(new Date("2036-01-02T03:04:05Z"));
  });

  test("has the extensions of a root for one level of leaves", () => {
    const text = extensionsOf(root);
    expect(text).toMatch(/Basic Constraints: critical\n\s+CA:TRUE, pathlen:0\n/);
    expect(text).toMatch(/Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/);
    expect(text).toMatch(/Subject Key Identifier:/);
    expect(text).not.toMatch(/Extended Key Usage/);
  });

  test("carries a code signing leaf past OpenSSL's strict rules", async () => {
    const leaf = await mintCodeSigningLeaf(root, keys.privateKeyPem);
    const at = ["-attime", unix("2026-06-01T00:00:00Z")];
    const verify = ["verify", "-x509_strict", "-check_ss_sig", "-CAfile", "root", ...at];
    expect(openssl([...verify, "leaf"], { root, leaf })).toMatchObject({ status: 0 });
    const late = ["-attime", unix("2036-01-03T00:00:00Z")];
    const expired = openssl([...verify, ...late, "leaf"], { root, leaf });
    expect(expired.status).not.toBe(0);
    expect(expired.output).toMatch(/certificate has expired/);
  });
});

describe("a TSA's chain", () => {
  const keys = ecKeyPair("P-256", "sec1");
  let [leaf, root] = ["", ""];
  beforeAll(async () => {
    const years = 30;
    const args = { leafPrivateKeyPem: keys.privateKeyPem, subject, notBefore, years };
    const chain = await makeTsaChain(args);
    expect(chain).toHaveLength(2);
    [leaf = "", root = ""] = chain;
  });

  const verify = (purpose: string, date: string) =>
    openssl(
      [
        ...["verify", "-x509_strict", "-check_ss_sig", "-purpose", purpose],
        ...["-attime", unix(date), "-CAfile", "root", "leaf"],
      ],
      { root, leaf },
    );

  test("is a time stamping chain for OpenSSL's strict rules, beyond 2050 too", () => {
    expect(verify("timestampsign", "2026-06-01T00:00:00Z")).toMatchObject({ status: 0 });
    expect(verify("timestampsign", "2055-12-31T00:00:00Z")).toMatchObject({ status: 0 });
    expect(verify("timestampsign", "2056-01-03T00:00:00Z").output).toMatch(/has expired/);
  });

  test("serves no other purpose", () => {
    for (const purpose of ["sslserver", "codesign", "smimesign"]) {
      expect(verify(purpose, "2026-06-01T00:00:00Z").status, purpose).not.toBe(0);
    }
  });

  test("has a leaf with the given key and the one usage, critical", () => {
    const certificate = new X509Certificate(leaf);
    expect(certificate.publicKey.export({ type: "spki", format: "pem" })).toBe(keys.publicKeyPem);
    const text = extensionsOf(leaf);
    expect(text).toMatch(/Extended Key Usage: critical\n\s+Time Stamping\n/);
    expect(text).toMatch(/Key Usage: critical\n\s+Digital Signature\n/);
    expect(text).toMatch(/Subject Key Identifier:/);
    expect(text).toMatch(/Authority Key Identifier:/);
    expect(extensionsOf(root)).toMatch(/Basic Constraints: critical\n\s+CA:TRUE, pathlen:0\n/);
  });

  test("has another root key each time", async () => {
    const again = await makeTsaChain({
      leafPrivateKeyPem: keys.privateKeyPem,
      subject,
      notBefore,
      years: 30,
    });
    const keyOf = (pem = "") =>
      new X509Certificate(pem).publicKey.export({ type: "spki", format: "pem" });
    expect(keyOf(again[0])).toBe(keyOf(leaf));
    expect(keyOf(again[1])).not.toBe(keyOf(root));
  });
});

test("a name is taken as it is, whatever characters it has", async () => {
  const { privateKeyPem } = ecKeyPair();
  const name = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 64 })
    .filter((text) => !text.includes("\0"));
  const special = fc.constantFrom('Example, "Inc."', "#41", "a+O=b", " a ", "a\\,b", "CN=x");
  await fc.assert(
    fc.asyncProperty(fc.oneof(name, special), async (organization) => {
      const given = { organization, commonName: organization };
      const args = { privateKeyPem, subject: given, notBefore, years: 1 };
      const [root = ""] = await makeFulcioCa(args);
      const read = new X509Certificate(root).toLegacyObject().subject;
      expect(read).toEqual({ O: organization, CN: organization });
    }),
  );
});

test("a key that is not EC P-256 or P-384 is refused without showing it", async () => {
  const { privateKeyPem } = ecKeyPair("P-521");
  await expect(makeFulcioCa({ privateKeyPem, subject, notBefore, years: 1 })).rejects.toThrow(
    /^a certificate's key must be EC P-256 or P-384$/,
  );
});

/** What Fulcio issues: a short-lived leaf with the code signing usage. */
async function mintCodeSigningLeaf(rootPem: string, privateKeyPem: string): Promise<string> {
  const root = new x509.X509Certificate(rootPem);
  const namedCurve = new X509Certificate(rootPem).publicKey.asymmetricKeyDetails?.namedCurve;
  const algorithm = { name: "ECDSA", namedCurve: namedCurve === "secp384r1" ? "P-384" : "P-256" };
  const leafKeys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const leaf = await x509.X509CertificateGenerator.create({
    notBefore: new Date("2026-05-01T00:00:00Z"),
    notAfter: new Date("2037-01-01T00:00:00Z"),
    subject: [{ CN: ["leaf"] }],
    issuer: root.subjectName,
    publicKey: leafKeys.publicKey,
    signingKey: createPrivateKey(privateKeyPem).toCryptoKey(algorithm, false, ["sign"]),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.codeSigning]),
      await x509.SubjectKeyIdentifierExtension.create(leafKeys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(root.publicKey),
    ],
  });
  return leaf.toString("pem");
}
