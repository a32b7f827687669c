import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ctLogConfig } from "../../../infra/trust/ctLogConfig.ts";
import { ecKeyPair } from "./fixture.ts";

const { publicKeyPem } = ecKeyPair();
const other = ecKeyPair().publicKeyPem;

const log = {
  generation: 1,
  prefix: "ct-1",
  treeId: "9007199254740993123",
  publicKeyPem,
  privateKeyPath: "/keys/private-1",
  privateKeyPassword: "secret",
};
const newer = { ...log, generation: 2, prefix: "ct-2", treeId: "7", publicKeyPem: other };
const trillian = { host: "trillian-logserver.x.svc", port: 8091 };

/** The values of a field, in order; reads a literal as the text format's specification says. */
function valuesOf(text: string, field: string): string[] {
  const literal = new RegExp(`\\b${field}: "((?:[^"\\\\\\n]|\\\\[0-7]{3})*)"`, "g");
  return [...text.matchAll(literal)].map(([, body = ""]) => unescape(body).toString());
}

function unescape(body: string): Buffer {
  const bytes = body.match(/\\[0-7]{3}|[^\\]/g) ?? [];
  return Buffer.from(bytes.map((b) => (b.length > 1 ? parseInt(b.slice(1), 8) : b.charCodeAt(0))));
}

describe("ctLogConfig", () => {
  test("lists every log with every root, the older one read-only", () => {
    const text = ctLogConfig({
      logs: [{ ...log, readOnly: true }, newer],
      rootsPemFiles: ["/keys/ca-1.pem", "/keys/ca-2.pem"],
      trillian,
    });
    expect(text.replace(/der: ".*"/g, 'der: "…"')).toMatchInlineSnapshot(`
      "backends {
        backend { name: "trillian" backend_spec: "trillian-logserver.x.svc:8091" }
      }
      log_configs {
        config {
          log_id: 9007199254740993123
          prefix: "ct-1"
          roots_pem_file: "/keys/ca-1.pem"
          roots_pem_file: "/keys/ca-2.pem"
          private_key {
            [type.googleapis.com/keyspb.PEMKeyFile] {
              path: "/keys/private-1"
              password: "secret"
            }
          }
          public_key { der: "…" }
          ext_key_usages: "CodeSigning"
          log_backend_name: "trillian"
          is_readonly: true
        }
        config {
          log_id: 7
          prefix: "ct-2"
          roots_pem_file: "/keys/ca-1.pem"
          roots_pem_file: "/keys/ca-2.pem"
          private_key {
            [type.googleapis.com/keyspb.PEMKeyFile] {
              path: "/keys/private-1"
              password: "secret"
            }
          }
          public_key { der: "…" }
          ext_key_usages: "CodeSigning"
          log_backend_name: "trillian"
        }
      }
      "
    `);
  });

  test("carries any path, password and key without loss", () => {
    const anything = fc.string({ unit: "binary", minLength: 1 });
    fc.assert(
      fc.property(anything, anything, anything, (path, password, root) => {
        const text = ctLogConfig({
          logs: [{ ...log, privateKeyPath: path, privateKeyPassword: password }],
          rootsPemFiles: [root],
          trillian,
        });
        const bytesOf = (value: string) => Buffer.from(value).toString();
        expect(valuesOf(text, "path")).toEqual([bytesOf(path)]);
        expect(valuesOf(text, "password")).toEqual([bytesOf(password)]);
        expect(valuesOf(text, "roots_pem_file")).toEqual([bytesOf(root)]);
        // Printable ASCII alone: nothing can end a literal or a line early.
        expect(text).toMatch(/^[\x20-\x7e\n]*$/);
        const [, der = ""] = /der: "(.*)" }/.exec(text) ?? [];
        const body = publicKeyPem.replace(/-----.*-----|\s/g, "");
        expect(unescape(der).toString("base64")).toBe(body);
      }),
    );
  });

  test("never names a private key but by its file", () => {
    const text = ctLogConfig({ logs: [log], rootsPemFiles: [], trillian });
    expect(text).toContain("[type.googleapis.com/keyspb.PEMKeyFile]");
    expect(text).not.toContain("keyspb.PrivateKey]");
  });

  test.each([
    ["a prefix", { prefix: "ct-1" }],
    ["a tree", { treeId: log.treeId }],
    ["a key", { publicKeyPem }],
  ])("refuses two logs that share %s", (what, shared) => {
    const logs = [log, { ...newer, ...shared }];
    expect(() => ctLogConfig({ logs, rootsPemFiles: [], trillian })).toThrow(`share ${what}`);
  });

  test("refuses what would break the file: an empty password, a tree id that is no number", () => {
    const config = (change: object) => () =>
      ctLogConfig({ logs: [{ ...log, ...change }], rootsPemFiles: [], trillian });
    expect(config({ privateKeyPassword: "" })).toThrow(/password is empty/);
    expect(config({ treeId: "1 is_mirror: true" })).toThrow(/decimal number/);
  });
});
