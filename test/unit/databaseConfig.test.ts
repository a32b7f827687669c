import * as fc from "fast-check";
import { rootCertificates } from "node:tls";
import { describe, expect, test } from "vitest";
import { externalOf, type Database } from "../../infra/config/database.ts";
import { passwordProblems } from "../../infra/config/secrets.ts";
import { assertSameDatabase } from "../../infra/preflight/database.ts";
import { databaseFlags } from "../../infra/platform/databaseFlags.ts";
import { memoryOf } from "../../infra/trust/memory.ts";
import { configWith, refusal } from "../support/config.ts";
import { openssl } from "./trust/openssl.ts";

const host = "mysql.corp.test";
const external = (changes: Record<string, unknown> = {}) => ({
  database: { external: { host, user: "trillian", ...changes } },
});
const authority = rootCertificates[0]!;
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key"];
const asLeaf = ["-subj", "/CN=leaf", "-addext", "basicConstraints=CA:FALSE", "-out", "/dev/stdout"];
const leaf = openssl(["req", "-x509", ...newKey, ...asLeaf]).output.replace(
  /^[^]*?(?=-----BEGIN)/,
  "",
);

describe("anchorhold:database", () => {
  test("is a volume of the stack's own, or a database elsewhere with defaults", () => {
    const own = configWith({ database: { size: "4Gi", storageClass: "fast" } }).database;
    expect(own).toEqual({ size: "4Gi", storageClass: "fast" });
    expect(externalOf(own)).toBeUndefined();
    expect(externalOf(configWith(external()).database)).toEqual({
      host,
      port: 3306,
      name: "trillian",
      user: "trillian",
      access: "direct",
    });
  });

  test.each([
    ["a tunnel", { access: { address: "localhost:13306" } }],
    ["no check", { access: "none" }],
    ["the system's authorities", { tls: { ca: "system" } }],
    ["an authority of one's own", { tls: { ca: authority, serverName: "db.corp.test" } }],
    ["two authorities", { tls: { ca: `${authority}\n${rootCertificates[1]}\n` } }],
    [
      "an IP address by its certificate's name",
      { host: "10.1.2.3", tls: { ca: authority, serverName: host } },
    ],
  ])("takes %s", (_what, changes) => {
    expect(externalOf(configWith(external(changes)).database)).toMatchObject(changes);
  });

  const at = "anchorhold:database.external";
  test.each([
    ["no host", { host: undefined }, `${at}.host: Invalid input: expected string`],
    ["a URL as host", { host: "mysql://db" }, `${at}.host: must be a host name`],
    ["a port that is none", { port: 0 }, `${at}.port: Too small`],
    ["a name to quote", { name: "a`; DROP" }, `${at}.name: must be a database's name`],
    ["a user with a password", { user: "trillian:x" }, `${at}.user: must be a user's name`],
    ["the password itself", { password: "x" }, `${at}: unknown key password`],
    ["an unknown access", { access: "ssh" }, `${at}.access: must be direct, none, or an address`],
    [
      "an address without port",
      { access: { address: "db" } },
      `${at}.access.address: must be HOST:PORT`,
    ],
    ["an authority that is none", { tls: { ca: "corp" } }, `${at}.tls.ca: must be system`],
    ["a leaf as authority", { tls: { ca: leaf } }, `${at}.tls.ca: must be system`],
    [
      "a server name that Trillian would not check",
      { tls: { ca: "system", serverName: "db" } },
      `${at}.tls.serverName: goes with CA certificates`,
    ],
    [
      "TLS to an IP address",
      { host: "10.1.2.3", tls: { ca: authority } },
      `${at}.tls.serverName: is needed where the host is an IP address`,
    ],
  ])("refuses %s and names its place", (_what, changes, expected) => {
    expect(refusal(external(changes))).toContain(expected);
  });

  test("refuses both at once, and neither", () => {
    const both = { size: "4Gi", external: { host, user: "trillian" } };
    expect(refusal({ database: both })).toContain("anchorhold:database: unknown key size");
    expect(refusal({ database: {} })).toContain("anchorhold:database.size: Invalid input");
    expect(refusal({ database: "mysql" })).toContain("anchorhold:database: Invalid input");
  });
});

describe("anchorhold:databasePassword", () => {
  const own: Database = { size: "4Gi" };
  const other = configWith(external()).database;
  const command = "pulumi config set --secret anchorhold:databasePassword";

  test("is wanted for an external database alone", () => {
    expect(passwordProblems(own, undefined)).toEqual([]);
    expect(passwordProblems(other, { value: "aB3!%/@:?", isSecret: true })).toEqual([]);
    expect(passwordProblems(own, { value: "x", isSecret: true })).toEqual([
      expect.stringContaining("pulumi config rm anchorhold:databasePassword"),
    ]);
    expect(passwordProblems(other, undefined)).toEqual([expect.stringContaining(command)]);
  });

  test("must be encrypted in the stack file", () => {
    expect(passwordProblems(other, { value: "abc", isSecret: false })).toEqual([
      expect.stringMatching(/stands in the stack file in clear.*--secret/),
    ]);
  });

  test.each(["", "a b", "a'b", 'a"b', "a\\b", "a$b", "é", "a\nb", "x".repeat(129)])(
    "must mean the same in Trillian's flag file: %j is refused",
    (value) => {
      expect(passwordProblems(other, { value, isSecret: true })).toEqual([
        expect.stringMatching(/printable ASCII/),
      ]);
    },
  );

  test("is in no problem's text", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), fc.boolean(), (value, isSecret) => {
        const problems = [own, other].flatMap((one) => passwordProblems(one, { value, isSecret }));
        expect(problems.join("\n")).not.toContain(value);
      }),
    );
  });

  test("is left out where the rest of the configuration is read, whatever it is", () => {
    expect(configWith({ ...external(), databasePassword: "[1" })).not.toHaveProperty(
      "databasePassword",
    );
  });
});

describe("Trillian's flags", () => {
  const login = { host, port: 3306, name: "logs", user: "trillian" };
  const uri = `--mysql_uri=trillian:s@tcp(${host}:3306)/logs`;
  const pool = "--mysql_max_idle_conns=10";

  test("without TLS, and with the system's authorities, have all in the URI", () => {
    const plain = `${uri}?parseTime=true&interpolateParams=true`;
    expect(databaseFlags(login, "s")).toBe(`${plain}\n${pool}\n`);
    const safe = databaseFlags({ ...login, tls: { ca: "system" } }, "s");
    expect(safe).toBe(`${plain}&tls=true\n${pool}\n`);
  });

  test("with an authority of one's own leave the URI's parameters to Trillian", () => {
    const tls = { ca: authority, serverName: "db.corp.test" };
    expect(databaseFlags({ ...login, tls }, "s").split("\n")).toEqual([
      uri,
      "--mysql_tls_ca=/etc/trillian/ca.pem",
      "--mysql_server_name=db.corp.test",
      pool,
      "",
    ]);
  });
});

describe("a stack that lives", () => {
  const own: Database = { size: "4Gi" };
  const other = configWith(external()).database;
  const living = (cluster: object | undefined) =>
    memoryOf(cluster === undefined ? {} : { cluster });

  test("keeps the sort of database that it has; a new one may have either", () => {
    for (const database of [own, other])
      expect(() => assertSameDatabase(living(undefined), database)).not.toThrow();
    expect(() => assertSameDatabase(living({ uid: "a" }), own)).not.toThrow();
    expect(() =>
      assertSameDatabase(living({ uid: "a", database: "external" }), other),
    ).not.toThrow();
  });

  test("is refused the other sort, with how to move on", () => {
    expect(() => assertSameDatabase(living({ uid: "a" }), other)).toThrow(
      /names an external database, but the logs of this stack are in its own; nothing was changed.*deploy a second stack/s,
    );
    expect(() => assertSameDatabase(living({ uid: "a", database: "external" }), own)).toThrow(
      /names a database of the stack's own, but the logs of this stack are in an external one/,
    );
  });
});
