import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encryptLegacyPem, keyPassword } from "../../../infra/trust/keyMaterial.ts";
import { judge, KeySearch } from "../../support/keySearch/search.ts";
import { secretsOf, type ExportedResources } from "../../support/keySearch/secrets.ts";

const ec = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const pem = (key: ReturnType<typeof ec>, type: "pkcs8" | "sec1" = "pkcs8") =>
  key.export({ type, format: "pem" }).toString();

const key = ec();
/** One that came from elsewhere. */
const held = ec();
const shell = generateKeyPairSync("ed25519").privateKey;
const password = randomBytes(24).toString("base64url");

/** As `pulumi stack export --show-secrets` shows a secret. */
const shown = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});
const resource = (type: string, name: string, outputs: unknown) => ({
  urn: `urn:pulumi:test::anchorhold::${type}::${name}`,
  type,
  outputs,
});
const state: ExportedResources = {
  deployment: {
    resources: [
      resource("kubernetes:core/v1:Secret", "signer", {
        data: shown({ private: Buffer.from(pem(key)).toString("base64") }),
      }),
      resource("kubernetes:core/v1:Secret", "held-key", {
        data: shown({ private: Buffer.from(pem(held)).toString("base64") }),
      }),
      resource("tls:index/privateKey:PrivateKey", "ca-key", {
        privateKeyPem: shown(pem(key, "sec1")),
        privateKeyPemPkcs8: shown(pem(key)),
      }),
      resource("tls:index/privateKey:PrivateKey", "old-key", {
        privateKeyPem: shown(pem(shell)),
      }),
      resource("random:index/randomPassword:RandomPassword", "login", { result: shown(password) }),
    ],
  },
};

const secrets = secretsOf(state);
const searcher = new KeySearch(secrets);
const find = (content: Buffer | string) => {
  const bytes = Buffer.from(content);
  return searcher.search([{ where: "here", bytes }]).map(({ secret }) => secret);
};

/** The number of a key as it would be in memory. */
const number = (of: typeof key) => Buffer.from(String(of.export({ format: "jwk" }).d), "base64url");
const raw = number(key);
const der = (type: "pkcs8" | "sec1") => key.export({ type, format: "der" });

describe("the secrets of a state", () => {
  test("are its keys, their sealed form and the generated passwords, each once", () => {
    const { bytes } = secrets[0]!;
    expect(bytes).toEqual(raw);
    expect(secrets.map(({ name }) => name)).toEqual([
      "ca-key",
      "ca-key, sealed",
      "ca-key, password of its file",
      "old-key",
      "login",
      "held-key",
      "held-key, sealed",
      "held-key, password of its file",
    ]);
  });

  test("are named by the resource that made them, and found where another one holds them", () => {
    const [caKey, , , oldKey, login] = secrets;
    expect(caKey?.pems).toHaveLength(2);
    expect(oldKey?.bytes).toEqual(number(shell));
    expect(login?.bytes.toString()).toBe(password);
    expect(find(pem(held))).toEqual(["held-key"]);
  });

  test("must be there, or the search would prove nothing", () => {
    expect(() => secretsOf({ deployment: {} })).toThrow("no private key");
    expect(() => new KeySearch([])).toThrow("nothing to search for");
  });
});

const hex = (bytes: Buffer) => bytes.toString("hex");
const octal = (bytes: Buffer) =>
  [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
/** As Go's prototext prints bytes: what is printable as it is, the rest escaped. */
const prototext = (bytes: Buffer) =>
  [...bytes]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      if (char === '"' || char === "\\") return `\\${char}`;
      return byte >= 0x20 && byte < 0x7f ? char : `\\x${hex(Buffer.of(byte))}`;
    })
    .join("");

const forms: Record<string, Buffer | string> = {
  "raw bytes": raw,
  "raw bytes as text": raw.toString("latin1"),
  hexadecimal: hex(raw),
  "capital hexadecimal": hex(raw).toUpperCase(),
  "hexadecimal DER": hex(der("pkcs8")),
  "a decimal number": BigInt(`0x${hex(raw)}`).toString(),
  "a list of bytes": JSON.stringify([...raw]),
  "a list as Go prints it": `[${[...der("sec1")].join(" ")}]`,
  "base64, offset 0": raw.toString("base64"),
  "base64, offset 1": Buffer.concat([Buffer.from("x"), raw]).toString("base64"),
  "base64, offset 2": Buffer.concat([Buffer.from("xy"), raw]).toString("base64"),
  "base64url, offset 0": raw.toString("base64url"),
  "base64url, offset 1": Buffer.concat([Buffer.from("x"), raw]).toString("base64url"),
  "base64 behind letters of its alphabet": `key/${der("pkcs8").toString("base64")}`,
  "PKCS#8 in base64": der("pkcs8").toString("base64"),
  "SEC1 in base64": der("sec1").toString("base64"),
  "a PKCS#8 PEM": pem(key),
  "a SEC1 PEM": pem(key, "sec1"),
  "one line of a PEM": pem(key).split("\n")[1] ?? "",
  "a PEM in JSON": JSON.stringify({ a: pem(key) }),
  "a PEM indented in YAML": pem(key).replaceAll("\n", "\n        "),
  "a PEM with Windows line ends": pem(key).replaceAll("\n", "\r\n"),
  "octal escapes": `private_key { der: "${octal(der("sec1"))}" }`,
  "protobuf text as Go prints it": `der:"${prototext(der("pkcs8"))}"`,
  "protobuf text in JSON in JSON": JSON.stringify(JSON.stringify({ a: prototext(der("pkcs8")) })),
  "a JWK": JSON.stringify(key.export({ format: "jwk" })),
  "part of a URL": `?key=${encodeURIComponent(raw.toString("base64"))}`,
};

describe("a leaked key is found", () => {
  test.each(Object.keys(forms))("as %s", (form) => {
    expect(find(forms[form] ?? "")).toContain("ca-key");
  });

  test.each(Object.keys(forms))("as %s, amid other bytes", (form) => {
    const around = randomBytes(5000);
    const leak = Buffer.concat([around, Buffer.from(" "), Buffer.from(forms[form] ?? ""), around]);
    expect(find(leak)).toContain("ca-key");
  });

  test("of a kind that signs nothing any more", () => {
    expect(find(pem(shell))).toEqual(["old-key"]);
    expect(find(JSON.stringify(shell.export({ format: "jwk" })))).toEqual(["old-key"]);
  });
});

type Wrap = (content: Buffer) => Buffer;
const wraps: Record<string, Wrap> = {
  base64: (content) => Buffer.from(content.toString("base64")),
  "wrapped base64": (content) =>
    Buffer.from((content.toString("base64").match(/.{1,76}/g) ?? []).join("\n")),
  gzip: (content) => Buffer.concat([Buffer.from("head"), gzipSync(content), Buffer.from("tail")]),
  JSON: (content) => Buffer.from(JSON.stringify({ data: content.toString("latin1") }), "latin1"),
  hex: (content) => Buffer.from(`0x${content.toString("hex")}`),
};

describe("a nested secret is found", () => {
  test("in a Helm release as the API gives it: base64, base64, gzip, JSON", () => {
    const release = { manifest: `data:\n  private: ${Buffer.from(pem(key)).toString("base64")}\n` };
    const stored = gzipSync(JSON.stringify(release)).toString("base64");
    const object = JSON.stringify({ data: { release: Buffer.from(stored).toString("base64") } });
    const [hit] = searcher.search([{ where: "here", bytes: Buffer.from(object) }]);
    expect(hit).toMatchObject({ secret: "ca-key" });
    expect(hit?.form).toMatch(/in gzip in base64 in base64$/);
  });

  test("whatever is wrapped around it", () => {
    const wrap = fc.constantFrom(...Object.keys(wraps));
    const form = fc.constantFrom(...Object.keys(forms));
    fc.assert(
      fc.property(form, fc.array(wrap, { maxLength: 3 }), (name, around) => {
        const leak = around.reduce<Buffer>(
          (content, one) => wraps[one]!(content),
          Buffer.from(forms[name]!),
        );
        expect(find(leak)).toContain("ca-key");
      }),
      { numRuns: 300 },
    );
  });

  test("when it is a password", () => {
    const uri = `--mysql_uri=trillian:${password}@tcp(trillian-mysql:3306)/trillian`;
    expect(find(uri)).toEqual(["login"]);
    expect(find(wraps["gzip"]!(wraps["base64"]!(Buffer.from(uri))))).toEqual(["login"]);
    expect(find(`password: "${keyPassword(pem(key))}"`)).toEqual(["ca-key, password of its file"]);
  });

  test("when it is sealed, since its password may leak elsewhere", () => {
    expect(find(encryptLegacyPem(pem(key), keyPassword(pem(key))))).toEqual(["ca-key, sealed"]);
  });
});

describe("what is no leak", () => {
  test.each<[string, (bytes: Buffer) => Buffer]>([
    ["as it is", (bytes) => bytes],
    ...Object.entries(wraps),
  ])("random bytes, %s", (_how, wrap) => {
    expect(find(wrap(randomBytes(300_000)))).toEqual([]);
  });

  test("other keys, and the public halves of ours", () => {
    const other = [pem(ec()), pem(ec(), "sec1"), JSON.stringify(ec().export({ format: "jwk" }))];
    expect(find(other.join("\n"))).toEqual([]);
    const half = createPublicKey(key);
    expect(find(JSON.stringify(half.export({ format: "jwk" })))).toEqual([]);
    expect(find(half.export({ type: "spki", format: "pem" }))).toEqual([]);
  });
});

describe("the list of allowed places", () => {
  const hit = { where: "Secret a/signer-1 private", secret: "ca-key", form: "raw" };
  const allowed = { where: /Secret a\/signer-\d+ private/, secret: /ca-key/ };

  test("lets pass what it names whole, and nothing else", () => {
    expect(judge([hit], [allowed])).toEqual({ leaks: [], unused: [] });
    const elsewhere = { ...hit, where: `${hit.where}.bak` };
    const another = { ...hit, secret: "old-ca-key" };
    expect(judge([elsewhere, another], [allowed]).leaks).toEqual([elsewhere, another]);
  });

  test("names lines that allow what is not there", () => {
    expect(judge([], [allowed]).unused).toEqual([allowed]);
  });
});
