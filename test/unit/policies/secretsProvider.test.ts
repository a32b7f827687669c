import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { providerProblems, secretsProvider } from "../../../policies/rules/secretsProvider.ts";
import { stackFile } from "../../../policies/stackFile.ts";
import { release, violations } from "./support.ts";

/** Written by `pulumi stack init --secrets-provider passphrase` (3.250.0) for throw-away stacks. */
const salts = {
  empty: "v1:hKTqX6iMMiE=:v1:fiSWdNiLca5fHYi8:9Nxz24VqO7RuGOv7ciZQjhtgk/hwKw==",
  "engine test": "v1:VZpX9/+tnjY=:v1:49L6UTvQCc8NLpaD:LrBAVRGZnG+B6pP+/D3/bqdyOeJS3w==",
};
const all = ["awskms", "azurekeyvault", "gcpkms", "hashivault", "passphrase"];

describe("secrets-provider", () => {
  test.each([
    [{ secretsprovider: "awskms://alias/sigstore?region=eu-central-1" }],
    [{ secretsprovider: "azurekeyvault://sigstore.vault.azure.net/keys/state" }],
    [{ secretsprovider: "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k" }],
    [{ secretsprovider: "hashivault://state" }],
    [{ encryptionsalt: salts["engine test"] }],
    [{ secretsprovider: "passphrase", encryptionsalt: salts["engine test"] }],
  ])("%j is taken", async (file) => {
    expect(await providerProblems(file, all)).toEqual([]);
  });

  test.each([
    [undefined, "the stack has no file that says how its secrets are encrypted"],
    [{}, "the stack file names no secrets provider"],
    [{ secretsprovider: "default" }, "the stack file names no secrets provider"],
    [{ secretsprovider: "passphrase" }, "the stack file has no encryptionsalt"],
    [{ encryptionsalt: salts.empty }, "the stack's passphrase is empty"],
  ])("%j is refused", async (file, expected) => {
    expect(await providerProblems(file, all)).toEqual([expected]);
  });

  test("what the pack's owner does not allow is refused", async () => {
    const kms = ["awskms", "gcpkms"];
    for (const file of [
      { secretsprovider: "base64key://c21vdGhlcmVkIGluIHNlY3JldHM=" },
      { encryptionsalt: salts["engine test"] },
    ]) {
      const said = await providerProblems(file, kms);
      expect(said).toEqual(["the stack's secrets provider is none of awskms, gcpkms"]);
    }
  });

  test("a salt of another form is an error, which Pulumi takes for a refusal", async () => {
    await expect(providerProblems({ encryptionsalt: "v2:x" }, all)).rejects.toThrow(
      "of a form that is not known",
    );
  });

  test("the local stack, and any resource but the stack itself, is left alone", async () => {
    const stack = { type: "pulumi:pulumi:Stack" };
    expect(await violations(secretsProvider, stack, { stack: "local" })).toEqual([]);
    expect(await violations(secretsProvider, release({}), { stack: "nowhere" })).toEqual([]);
    expect(await violations(secretsProvider, stack, { stack: "nowhere" })).toEqual([
      "the stack has no file that says how its secrets are encrypted",
    ]);
  });

  test("the stack's file is found where Pulumi.yaml says", () => {
    const project = mkdtempSync(join(tmpdir(), "anchorhold-stack-file-"));
    try {
      writeFileSync(join(project, "Pulumi.yaml"), "name: x\nstackConfigDir: stacks\n");
      mkdirSync(join(project, "stacks"));
      writeFileSync(join(project, "stacks", "Pulumi.one.yaml"), "secretsprovider: awskms://a\n");
      writeFileSync(join(project, "stacks", "Pulumi.two.yaml"), "");
      expect(stackFile(project, "one")).toEqual({ secretsprovider: "awskms://a" });
      expect(stackFile(project, "two")).toEqual({});
      expect(stackFile(project, "three")).toBeUndefined();
    } finally {
      rmSync(project, { recursive: true });
    }
  });
});
