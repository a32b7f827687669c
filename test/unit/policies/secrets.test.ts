import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { valuesWithoutMadeSecrets, valuesWithoutSecrets } from "../../../policies/rules/secrets.ts";
import { ecKeyPair } from "../trust/fixture.ts";
import { release, shipped, stackViolations, unknownText, violations } from "./support.ts";

const { privateKeyPem, publicKeyPem } = ecKeyPair();
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("values-without-secrets", () => {
  const check = (values: object) => violations(valuesWithoutSecrets, release(values));

  test.each(shipped)("the values of %s hold none", async (_name, { values }) => {
    expect(await check(values)).toEqual([]);
  });

  test.each([
    ["a private key", { a: { b: privateKeyPem } }, "values.a.b is or holds a private key"],
    ["one on one line", { a: JSON.stringify(privateKeyPem) }, "values.a is or holds a private key"],
    ["one in base64", { a: [base64(privateKeyPem)] }, "values.a[0] is or holds a private key"],
    ["base64 of base64", { a: base64(base64(privateKeyPem)) }, "values.a is or holds a private"],
    [
      "a password",
      { auth: { rootPassword: "x" } },
      "values.auth.rootPassword is or holds a secret",
    ],
    ["one by environment", { env: { KEY_PASSWORD: "x" } }, "values.env.KEY_PASSWORD is or holds"],
    ["a URL", { uri: "mysql://root:hunter2@db/x" }, "values.uri is or holds a URL with a password"],
  ])("%s is refused by its place, without its content", async (_what, values, expected) => {
    const [line, ...others] = await check(values);
    expect(line).toContain(`Release one: ${expected}`);
    expect(others).toEqual([]);
    expect(line).not.toContain("hunter2");
  });

  test("a value that is not known yet is refused where a secret would stand", async () => {
    expect(await check({ password: unknownText })).toHaveLength(1);
  });

  test("public keys, names of Secrets and empty passwords are allowed", async () => {
    const values = { chain: publicKeyPem, auth: { existingSecret: "login-1a2b" }, password: "" };
    expect(await check({ ...values, encoded: base64(publicKeyPem) })).toEqual([]);
  });

  test("other resources are not looked at", async () => {
    const secret = {
      type: "kubernetes:core/v1:Secret",
      props: { stringData: { a: privateKeyPem } },
    };
    expect(await violations(valuesWithoutSecrets, secret)).toEqual([]);
  });
});

describe("values-without-made-secrets", () => {
  const password = {
    type: "random:index/randomPassword:RandomPassword",
    name: "database-root-password",
    props: { result: "Zq3vT8nLw2Xy7Rb1" },
  };
  const key = {
    type: "tls:index/privateKey:PrivateKey",
    name: "tsa-1-key",
    props: { privateKeyPem },
  };
  const check = (values: object) =>
    stackViolations(valuesWithoutMadeSecrets, [password, key, release(values)]);

  test("a made password is found wherever it stands, and not printed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (before, after) => {
        const said = await check({ harmless: `${before}${password.props.result}${after}` });
        expect(said).toEqual([
          "Release one: values.harmless holds what database-root-password has made",
        ]);
      }),
    );
  });

  test("so is a key wrapped in another way, and either in base64", async () => {
    const body = privateKeyPem.split("\n").slice(1, -2).join("");
    for (const text of [
      body,
      base64(privateKeyPem),
      base64(`--uri=${password.props.result}--------`),
    ])
      expect(await check({ harmless: text })).toHaveLength(1);
  });

  test("nor is what a preview does not know, on either side", async () => {
    const fresh = { ...password, props: { result: unknownText } };
    const said = await stackViolations(valuesWithoutMadeSecrets, [
      fresh,
      release({ a: unknownText }),
    ]);
    expect(said).toEqual([]);
  });

  test("what the stack has not made is none of its business", async () => {
    expect(await check({ harmless: "Zq3vT8nLw2Xy7Rb0", chain: publicKeyPem })).toEqual([]);
  });
});
