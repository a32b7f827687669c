import { describe, expect, test } from "vitest";
import { certificateProblems } from "../../../infra/platform/entrance/certificate.ts";
import { otherKey, serverCertificate, tlsSecret } from "../../support/tlsSecret.ts";

const now = new Date();
const hosts = ["tuf.example.com", "rekor-1.example.com"];
const place = "certificates/sigstore-tls";
const pair = await serverCertificate({ names: ["*.example.com"] });
const problems = (secret: Parameters<typeof certificateProblems>[1], names = hosts, at = now) =>
  certificateProblems(place, secret, names, at);

describe("the certificate of the host names", () => {
  test("is fine with a wildcard, and with every name by itself", async () => {
    expect(problems(tlsSecret(pair))).toEqual([]);
    const named = await serverCertificate({ names: ["other.example.com", ...hosts] });
    expect(problems(tlsSecret(named))).toEqual([]);
  });

  test("is fine with its chain behind it", async () => {
    const issuer = await serverCertificate({ names: [] });
    const certificatePem = `${pair.certificatePem}\n${issuer.certificatePem}`;
    expect(problems(tlsSecret({ ...pair, certificatePem }))).toEqual([]);
  });

  test.each([
    ["a name of another domain", ["tuf.example.org"], "tuf.example.org"],
    ["two labels under a wildcard", ["tuf.eu.example.com"], "tuf.eu.example.com"],
    ["the domain itself under a wildcard", ["example.com"], "example.com"],
    ["one of two", ["tuf.example.com", "tsa.example.org"], "tsa.example.org"],
  ])("does not cover %s", (_what, names, missing) => {
    const only = `${place} holds a certificate for DNS:*.example.com, which does not cover ${missing}`;
    expect(problems(tlsSecret(pair), names)).toEqual([`the Secret ${only}`]);
  });

  test("does not cover a host by its common name, which clients do not read", async () => {
    const old = await serverCertificate({ names: [], commonName: "tuf.example.com" });
    expect(problems(tlsSecret(old), ["tuf.example.com"])).toEqual([
      `the Secret ${place} holds a certificate for no names at all, which does not cover tuf.example.com`,
    ]);
  });

  test("must be there, of the right type, and readable", () => {
    expect(problems(undefined)[0]).toMatch(/certificates\/sigstore-tls does not exist/);
    expect(problems({ data: tlsSecret(pair).data })[0]).toMatch(/of type Opaque, not kubernetes/);
    expect(problems({ type: "kubernetes.io/tls" })[0]).toMatch(/no PEM certificate .* tls\.crt/);
    const damaged = tlsSecret({ ...pair, certificatePem: pair.certificatePem.slice(0, 200) });
    expect(problems(damaged)[0]).toMatch(/no PEM certificate .* tls\.crt/);
  });

  test("must be valid now", () => {
    const at = (days: number) => new Date(now.getTime() + days * 86_400_000);
    expect(problems(tlsSecret(pair), hosts, at(91))).toEqual([
      expect.stringMatching(/holds a certificate that expired at .*: renew it/),
    ]);
    expect(problems(tlsSecret(pair), hosts, at(-2))).toEqual([
      expect.stringMatching(/holds a certificate that is not valid before/),
    ]);
  });

  test("must have its own key, of which no reason tells", () => {
    const privateKeyPem = otherKey();
    const [reason = ""] = problems(tlsSecret({ ...pair, privateKeyPem }));
    expect(reason).toMatch(/a key that is not the first certificate's/);
    const broken = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    const [unread = ""] = problems(tlsSecret({ ...pair, privateKeyPem: broken }));
    expect(unread).toMatch(/no PEM key without a password/);
    expect(`${reason}${unread}`).not.toMatch(/PRIVATE KEY|c2VjcmV0/);
  });

  test("shows all that is wrong at once", () => {
    const privateKeyPem = otherKey();
    const late = new Date(now.getTime() + 91 * 86_400_000);
    expect(problems(tlsSecret({ ...pair, privateKeyPem }), ["tuf.example.org"], late)).toHaveLength(
      3,
    );
  });
});
