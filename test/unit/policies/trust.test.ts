import { describe, expect, test } from "vitest";
import { recordsFrozen, trustProtected } from "../../../policies/rules/trust.ts";
import { violations } from "./support.ts";

const key = "tls:index/privateKey:PrivateKey";

describe("trust-protected", () => {
  test.each([
    key,
    "random:index/randomPassword:RandomPassword",
    "command:local:Command",
    "pulumi:index:Stash",
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:PersistentVolumeClaim",
    "kubernetes:helm.sh/v3:Release",
  ])("%s needs it", async (type) => {
    expect(await violations(trustProtected, { type, name: "x" })).toEqual([
      `${type} x is not protected`,
    ]);
    expect(await violations(trustProtected, { type, name: "x", protect: true })).toEqual([]);
  });

  test("what is made anew whenever its content changes does not", async () => {
    expect(await violations(trustProtected, { type: "kubernetes:core/v1:Secret" })).toEqual([]);
  });

  test("the shell of a destroyed key does not, a key does", async () => {
    const withAlgorithm = (algorithm: string) => ({ type: key, props: { algorithm } });
    expect(await violations(trustProtected, withAlgorithm("ED25519"))).toEqual([]);
    expect(await violations(trustProtected, withAlgorithm("ECDSA"))).toHaveLength(1);
  });
});

describe("records-frozen", () => {
  const stash = { type: "pulumi:index:Stash", name: "fulcio-ca-1-public" };

  test("a record ignores changes of its input", async () => {
    expect(await violations(recordsFrozen, { ...stash, ignoreChanges: ["input"] })).toEqual([]);
    expect(await violations(recordsFrozen, { ...stash, ignoreChanges: ["output"] })).toEqual([
      "Stash fulcio-ca-1-public does not ignore changes of its input",
    ]);
  });

  test("nothing else has to", async () => {
    expect(await violations(recordsFrozen, { type: key })).toEqual([]);
  });
});
