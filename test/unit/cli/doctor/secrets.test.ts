import { sign, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ctLogFacts } from "../../../../cli/doctor/collect/ctLogSecret.ts";
import { keyPair } from "../../../../cli/doctor/collect/keys.ts";
import { parseProtoText } from "../../../../cli/doctor/collect/protoText.ts";
import { secretFacts, withoutData } from "../../../../cli/doctor/collect/secrets.ts";
import { certificateFingerprint, keyFingerprint } from "../../../../cli/verify/certificates.ts";
import { ctLogConfig } from "../../../../infra/trust/ctLogConfig.ts";
import { encryptLegacyPem, keyPassword } from "../../../../infra/trust/keyMaterial.ts";
import { ecKeyPair, fulcioCaRecord } from "../../trust/fixture.ts";

const key = ecKeyPair();
const own = keyFingerprint(key.publicKeyPem);

function secret(texts: Readonly<Record<string, string>>) {
  const data = Object.entries(texts).map(([name, text]) => [
    name,
    Buffer.from(text).toString("base64"),
  ]);
  const metadata = { name: "s", namespace: "n" };
  return { apiVersion: "v1", kind: "Secret", metadata, data: Object.fromEntries(data) as object };
}

/** Every place of a letter or digit in the base64 part. */
function places(pem: string): number[] {
  const [from, to] = [pem.indexOf("\n") + 1, pem.lastIndexOf("\n-----END")];
  const all = Array.from({ length: to - from }, (_, index) => from + index);
  return all.filter((at) => /[A-Za-z0-9]/.test(pem[at]!));
}

describe("a private key", () => {
  test("is known by its public half", () => {
    expect(keyPair(key.privateKeyPem)).toBe(own);
    expect(keyPair(encryptLegacyPem(key.privateKeyPem, "long"), "long")).toBe(own);
    expect(keyPair(encryptLegacyPem(key.privateKeyPem, "long"), "other")).toBeUndefined();
  });

  test("property: a changed byte anywhere is noticed, unless it is the same key", () => {
    const at = fc.constantFrom(...places(key.privateKeyPem));
    fc.assert(
      fc.property(at, fc.constantFrom(..."ABxyz0189"), (place, other) => {
        const { privateKeyPem: pem } = key;
        fc.pre(pem[place] !== other);
        const changed = pem.slice(0, place) + other + pem.slice(place + 1);
        // There are bits that stand for nothing, such as PKCS #8's version.
        if (keyPair(changed) !== own) return;
        const text = Buffer.from("text");
        expect(verify("sha256", text, key.publicKeyPem, sign("sha256", text, changed))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the facts about a Secret", () => {
  test("hold no secret, and tell keys, certificates and what is damaged", async () => {
    const { chain } = await fulcioCaRecord(1);
    const facts = secretFacts(
      secret({
        private: key.privateKeyPem,
        cert: chain.join(""),
        broken: key.privateKeyPem.replace(/\n[^-]{30}/, "\n"),
        password: "correct horse",
      }),
    );
    expect(facts.entries).toEqual({
      private: { type: "key", fingerprint: own },
      cert: { type: "certificates", fingerprints: chain.map(certificateFingerprint) },
      broken: { type: "damaged" },
      password: { type: "other" },
    });
  });

  test("leave the object itself without its data", () => {
    expect(withoutData(secret({ a: "b" }))).not.toHaveProperty("data");
  });
});

describe("ct_server's configuration", () => {
  const password = keyPassword(key.privateKeyPem);
  const config = ctLogConfig({
    logs: [
      {
        generation: 1,
        prefix: "ctlog-1",
        treeId: "8713049210368475113",
        publicKeyPem: key.publicKeyPem,
        privateKeyPath: "/ctfe-keys/ctlog-1.pem",
        privateKeyPassword: password,
        readOnly: true,
      },
    ],
    rootsPemFiles: ["/ctfe-keys/fulcio-ca-1.pem", "/ctfe-keys/gone.pem"],
    trillian: { host: "trillian", port: 8091 },
  });

  test("is read back as it was written", async () => {
    const { chain } = await fulcioCaRecord(1);
    const files = {
      "ctlog-1.pem": encryptLegacyPem(key.privateKeyPem, password),
      "fulcio-ca-1.pem": chain.at(-1)!,
    };
    expect(ctLogFacts(config, files)).toEqual({
      backend: "trillian:8091",
      logs: [
        {
          prefix: "ctlog-1",
          treeId: "8713049210368475113",
          readOnly: true,
          publicKey: own,
          privateKey: own,
          roots: [certificateFingerprint(chain.at(-1)!)],
        },
      ],
    });
  });

  test("property: any other text is no configuration, and no crash", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(ctLogFacts(text, {}).logs).toEqual([]);
      }),
    );
  });

  test.each(["a {", "a }", "a: ", '"', "a { b: 1"])("%j is not protobuf text", (text) => {
    expect(() => parseProtoText(text)).toThrow("not protobuf text");
  });
});
