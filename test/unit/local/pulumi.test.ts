import { createPublicKey } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import pb from "@pulumi/pulumi/proto/language_pb.js";
import { commandPlugin } from "../../../local/pulumi/command.ts";
import { changes, detailedDiff, parsePath, pathText } from "../../../local/pulumi/diff.ts";
import { runnerArguments, runnerEnvironment, runResponse } from "../../../local/pulumi/language.ts";
import { seededName } from "../../../local/pulumi/names.ts";
import { randomPlugin } from "../../../local/pulumi/random.ts";
import { tlsPlugin } from "../../../local/pulumi/tls.ts";
import {
  containsSecret,
  equal,
  fromStruct,
  isSecret,
  plainProps,
  secret,
  textAt,
  toStruct,
  UNKNOWN,
  unwrap,
  type Props,
} from "../../../local/pulumi/values.ts";

const about = (type: string, name = "r") => ({
  urn: `urn:pulumi:s::p::${type}::${name}`,
  name,
  type,
});
const nothing = () => undefined;

const creation = (type: string, inputs: Props) => ({
  ...about(type),
  inputs,
  preview: false,
  timeout: 0,
  log: nothing,
});

describe("values", () => {
  test("a secret is marked once and unmarked at any depth", () => {
    expect(secret(secret("s"))).toEqual(secret("s"));
    const props = { a: [secret({ b: secret("s") })], c: 1 };
    expect(containsSecret(props)).toBe(true);
    expect(plainProps(props)).toEqual({ a: [{ b: "s" }], c: 1 });
  });

  test("JSON survives the way over gRPC", () => {
    // google-protobuf keeps a message's map in a plain object, which cannot hold the key __proto__.
    const json = fc
      .jsonValue()
      .filter((value) => !JSON.stringify(value).includes('"__proto__":'))
      .map((value) => ({ value: value as Props[string] }));
    fc.assert(fc.property(json, (props) => equal(fromStruct(toStruct(props)), plainZero(props))));
  });
});

/** A Protobuf number has no negative zero in JSON. */
function plainZero(props: Props): Props {
  return JSON.parse(JSON.stringify(props)) as Props;
}

describe("diff", () => {
  test("names the deepest places, and whole additions at their root", () => {
    const old = { a: { x: 1, gone: 1 }, list: ["p", "q"] };
    const now = { a: { x: 2 }, list: ["r"], fresh: { y: 1 } };
    expect(detailedDiff(changes(old, now), [], [])).toEqual({
      "a.x": { kind: "UPDATE" },
      "a.gone": { kind: "DELETE", inputDiff: true },
      "list[0]": { kind: "UPDATE" },
      "list[1]": { kind: "DELETE", inputDiff: true },
      fresh: { kind: "ADD" },
    });
  });

  test("a place that cannot change replaces, from above and from below", () => {
    const places = [parsePath("spec.selector")];
    const below = changes(
      { spec: { selector: { app: "a" } } },
      { spec: { selector: { app: "b" } } },
    );
    expect(detailedDiff(below, places, [])).toEqual({
      "spec.selector.app": { kind: "UPDATE_REPLACE" },
    });
    const above = changes({}, { spec: { selector: {} } });
    expect(detailedDiff(above, places, [])).toEqual({ spec: { kind: "ADD_REPLACE" } });
    const beside = changes({}, { spec: { replicas: 1 } });
    expect(detailedDiff(beside, places, [])).toEqual({ spec: { kind: "ADD" } });
  });

  test("ignoreChanges covers a place and all below it", () => {
    const all = changes({ a: { b: 1 }, c: 1 }, { a: { b: 2 }, c: 2 });
    expect(detailedDiff(all, [], ["a"])).toEqual({ c: { kind: "UPDATE" } });
  });

  test("paths are read as they are written", () => {
    const step = fc.oneof(fc.stringMatching(/^[a-z][a-z./-]{0,8}$/), fc.nat(9));
    const path = fc.tuple(fc.stringMatching(/^[a-z]{1,5}$/), fc.array(step, { maxLength: 4 }));
    fc.assert(
      fc.property(path, ([first, rest]) => {
        expect(parsePath(pathText([first, ...rest]))).toEqual([first, ...rest]);
      }),
    );
  });
});

describe("names", () => {
  test("the same seed gives the same name, so that a preview tells the truth", () => {
    const seed = Buffer.from("seed");
    expect(seededName("key-", seed)).toBe(seededName("key-", seed));
    expect(seededName("key-", seed)).toMatch(/^key-[0-9a-f]{8}$/);
    expect(seededName("key-", seed)).not.toBe(seededName("key-", Buffer.from("other")));
  });
});

describe("tls", () => {
  const type = "tls:index/privateKey:PrivateKey";

  const hasSshKeygen = spawnSync("ssh-keygen", ["-?"]).error === undefined;

  test
    .skipIf(!hasSshKeygen)
    .each([
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      { algorithm: "ECDSA", ecdsaCurve: "P384" },
      { algorithm: "ECDSA", ecdsaCurve: "P521" },
      { algorithm: "ED25519" },
    ])("ssh-keygen reads the OpenSSH form of $algorithm $ecdsaCurve", async (inputs) => {
    const { outputs } = await tlsPlugin.create(creation(type, inputs));
    const directory = mkdtempSync(join(tmpdir(), "ssh-"));
    const file = join(directory, "key");
    writeFileSync(file, unwrap(outputs["privateKeyOpenssh"] ?? "") as string, { mode: 0o600 });
    const shown = execFileSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" });
    rmSync(directory, { recursive: true });
    expect(shown.trim()).toBe(textAt(outputs, "publicKeyOpenssh").trim());
  });

  test("private parts are secret and belong to the public key", async () => {
    const inputs = { algorithm: "ECDSA", ecdsaCurve: "P256" };
    const { outputs } = await tlsPlugin.create(creation(type, inputs));
    for (const name of ["privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"]) {
      expect(isSecret(outputs[name])).toBe(true);
    }
    const fromPrivate = createPublicKey(unwrap(outputs["privateKeyPem"] ?? "") as string);
    expect(fromPrivate.export({ format: "pem", type: "spki" })).toBe(outputs["publicKeyPem"]);
  });

  test("an algorithm that it does not have is refused by name", async () => {
    await expect(tlsPlugin.create(creation(type, { algorithm: "RSA" }))).rejects.toThrow(
      "tls.PrivateKey: the stand-in makes ECDSA and ED25519 keys, not RSA.",
    );
  });
});

describe("random", () => {
  const type = "random:index/randomPassword:RandomPassword";

  test("a password has its length and its classes", async () => {
    const inputs = { length: 12, special: false, minNumeric: 5, minUpper: 5 };
    const { outputs } = await randomPlugin.create(creation(type, inputs));
    const result = unwrap(outputs["result"] ?? "") as string;
    expect(result).toMatch(/^[A-Za-z0-9]{12}$/);
    expect(result.replaceAll(/[^0-9]/g, "").length).toBeGreaterThanOrEqual(5);
    expect(result.replaceAll(/[^A-Z]/g, "").length).toBeGreaterThanOrEqual(5);
  });

  test("a preview knows the inputs and nothing else", async () => {
    const request = { ...creation(type, { length: 12 }), preview: true };
    const { id, outputs } = await randomPlugin.create(request);
    expect(id).toBe("");
    expect(outputs).toMatchObject({ length: 12, result: UNKNOWN, id: UNKNOWN });
  });
});

describe("command", () => {
  const type = "command:local:Command";
  const plugin = commandPlugin({ env: process.env, directory: tmpdir() });

  test("takes stdin, cuts one newline, keeps the streams apart", async () => {
    const create = "cat; echo; echo; echo err >&2";
    const { outputs } = await plugin.create(creation(type, { create, stdin: "in" }));
    expect(outputs).toMatchObject({ stdout: "in\n", stderr: "err" });
  });

  test("one secret input makes the outputs secret", async () => {
    const inputs = { create: "echo $A", environment: { A: secret("s") } };
    const { outputs } = await plugin.create(creation(type, inputs));
    expect(outputs["stdout"]).toEqual(secret("s"));
    expect(outputs["environment"]).toEqual({ A: secret("s") });
  });

  test("a failure tells the status, the command and both streams", async () => {
    const create = "echo out; echo err >&2; exit 3";
    await expect(plugin.create(creation(type, { create }))).rejects.toThrow(
      /^exit status 3: running "echo out; echo err >&2; exit 3":\n(out\nerr|err\nout)\n$/,
    );
  });

  test("an update sees the previous output, unless it declines", async () => {
    const update = "echo [$PULUMI_COMMAND_STDOUT]";
    const request = (inputs: Props) => ({
      ...creation(type, inputs),
      ...{ id: "r", olds: { stdout: secret("before") }, ignoreChanges: [] },
    });
    expect(await plugin.update(request({ update }))).toMatchObject({ stdout: "[before]" });
    const declined = { update, addPreviousOutputInEnv: false };
    expect(await plugin.update(request(declined))).toMatchObject({ stdout: "[]" });
  });

  test("without `update` an update runs `create`; delete runs `delete`", async () => {
    const base = { id: "r", olds: {}, ignoreChanges: [] };
    const updated = await plugin.update({ ...creation(type, { create: "echo again" }), ...base });
    expect(updated).toMatchObject({ stdout: "again" });
    const deletion = {
      ...about(type),
      id: "r",
      olds: { delete: "exit 1" },
      timeout: 0,
      log: nothing,
    };
    await expect(plugin.delete(deletion)).rejects.toThrow('exit status 1: running "exit 1"');
  });
});

describe("language host", () => {
  test("starts the SDK's runner as the official host does", () => {
    const request = new pb.RunRequest()
      .setMonitorAddress("m:1")
      .setProject("p")
      .setStack("s")
      .setPwd("/project")
      .setDryrun(true)
      .setParallel(4)
      .setProgram("index.ts");
    expect(runnerArguments(request, "e:2", "/sdk/cmd/run")).toEqual([
      "/sdk/cmd/run",
      "--monitor=m:1",
      "--engine=e:2",
      "--project=p",
      "--stack=s",
      "--pwd=/project",
      "--dry-run=true",
      "--parallel=4",
      "index.ts",
    ]);
  });

  test("hands over the configuration and which of it is secret", () => {
    const request = new pb.RunRequest().setConfigsecretkeysList(["p:key"]);
    request.getConfigMap().set("p:config:key", "v");
    expect(runnerEnvironment(request)).toMatchObject({
      PULUMI_CONFIG: '{"p:key":"v"}',
      PULUMI_CONFIG_SECRET_KEYS: '["p:key"]',
    });
  });

  test("an error that the program has logged is not reported twice", () => {
    expect(runResponse(0, null).toObject()).toEqual({ error: "", bail: false });
    expect(runResponse(32, null).toObject()).toEqual({ error: "", bail: true });
    expect(runResponse(1, null).getError()).toBe("Program exited with non-zero exit code: 1");
    expect(runResponse(null, "SIGKILL").getError()).toBe("Program was stopped by SIGKILL");
  });
});
