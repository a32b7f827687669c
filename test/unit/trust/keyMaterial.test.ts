import { createHash, createPrivateKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encryptLegacyPem,
  logIdOf,
  publicKeyPemOf,
  toPkcs8Pem,
} from "../../../infra/trust/keyMaterial.ts";
import { ecKeyPair } from "./fixture.ts";
import { openssl } from "./openssl.ts";

describe("encryptLegacyPem", () => {
  const { privateKeyPem, publicKeyPem } = ecKeyPair();

  test("is read by OpenSSL with the passphrase, and not without it", () => {
    const key = encryptLegacyPem(privateKeyPem, "correct horse");
    expect(key).toMatch(/^-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-/);
    const read = (passphrase: string) =>
      openssl(["ec", "-in", "key", "-passin", `pass:${passphrase}`, "-pubout"], { key });
    expect(read("correct horse").output).toContain(publicKeyPem);
    expect(read("wrong").status).not.toBe(0);
  });

  test("is read by Node for any passphrase, and depends on key and passphrase alone", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (passphrase) => {
        const text = encryptLegacyPem(privateKeyPem, passphrase);
        const key = createPrivateKey({ key: text, passphrase });
        expect(key.export({ type: "pkcs8", format: "pem" })).toBe(privateKeyPem);
        expect(encryptLegacyPem(privateKeyPem, passphrase)).toBe(text);
        expect(encryptLegacyPem(privateKeyPem, `${passphrase}.`)).not.toBe(text);
      }),
    );
  });

  test("refuses an empty passphrase, with which ct_server would not start", () => {
    expect(() => encryptLegacyPem(privateKeyPem, "")).toThrow(/must not be empty/);
  });
});

test("a SEC1 key becomes the same key in PKCS#8", () => {
  const { privateKeyPem, publicKeyPem } = ecKeyPair("P-256", "sec1");
  const pkcs8 = toPkcs8Pem(privateKeyPem);
  expect(pkcs8).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  expect(publicKeyPemOf(pkcs8)).toBe(publicKeyPem);
  expect(publicKeyPemOf(privateKeyPem)).toBe(publicKeyPem);
});

test("a log's id is the SHA-256 of what lies between the lines of its public key", () => {
  const { publicKeyPem } = ecKeyPair();
  const der = Buffer.from(publicKeyPem.replace(/-----.*-----|\s/g, ""), "base64");
  expect(logIdOf(publicKeyPem)).toBe(createHash("sha256").update(der).digest("base64"));
});
