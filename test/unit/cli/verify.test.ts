import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Context, Finding } from "../../../cli/verify/finding.ts";
import { allChecks, runChecks } from "../../../cli/verify/index.ts";
import { openMirror } from "../../../infra/observe/mirror.ts";
import { once } from "../../../cli/verify/signing.ts";
import { judgeTimestamp } from "../../../cli/verify/timestamp.ts";
import { judgeExpiry } from "../../../cli/verify/tuf.ts";
import { judgeClock } from "../../../cli/verify/tsa.ts";
import { expectedIdentity, identityToken } from "../../../cli/verify/token.ts";
import { ecKeyPair, fulcioCaRecord } from "../trust/fixture.ts";
import { InstanceStandIn } from "./instance.ts";

let instance: InstanceStandIn;
let directory: string;
beforeEach(async () => {
  instance = await new InstanceStandIn().open();
  directory = await mkdtemp(join(tmpdir(), "anchorhold-test-"));
});
afterEach(async () => {
  await instance.close();
  await rm(directory, { recursive: true });
});

/** The checks that only read: timestamps and signatures need the real services. */
async function readChecks(): Promise<Finding[]> {
  const { outputs } = instance;
  const mirror = once(() =>
    openMirror({ ...outputs.mirror, initialRoot: outputs.initialRoot }, directory),
  );
  const checks = allChecks(outputs).filter(({ service }) => !["tsa", "signing"].includes(service));
  const context: Omit<Context, "signal"> = {
    outputs,
    mirror: () => mirror(undefined),
    identityToken: () => Promise.reject(new Error("none")),
    now: new Date(),
  };
  return runChecks(checks, context, 10_000);
}

const failed = (findings: Finding[]) =>
  findings
    .filter(({ result }) => result !== "ok")
    .map(({ service, check }) => `${service} ${check}`);

describe("an instance that is as its records say", () => {
  test("passes every check", async () => {
    const findings = await readChecks();
    expect(failed(findings)).toEqual([]);
    expect(findings.map(({ service, check }) => `${service} ${check}`)).toEqual([
      "tuf first root",
      "tuf chain from root 1",
      "tuf timestamp",
      "tuf trusted_root.json",
      "tuf signing_config.v0.2.json",
      "tuf revision",
      "fulcio trust bundle",
      "fulcio issuers",
      "ctlog tree head 1",
      "ctlog accepted roots 1",
      "rekor public key 1",
      "rekor signed tree head 1",
      "rekor inclusion proof 1",
    ]);
  });
});

describe("an instance that differs", () => {
  const edit = <T>(path: string, change: (json: T) => void) => {
    const json = JSON.parse(instance.answers[path]!) as T;
    change(json);
    instance.answers[path] = JSON.stringify(json);
  };

  test.each<[string, () => void | Promise<void>, string[]]>([
    [
      "Fulcio with another CA",
      async () => {
        const { chain } = await fulcioCaRecord(1);
        edit(
          "/api/v2/trustBundle",
          (json: { chains: { certificates: string[] }[] }) =>
            (json.chains[0]!.certificates = chain),
        );
      },
      ["fulcio trust bundle"],
    ],
    [
      "Fulcio with another audience",
      () =>
        edit(
          "/api/v2/configuration",
          (json: { issuers: { audience: string }[] }) => (json.issuers[0]!.audience = "other"),
        ),
      ["fulcio issuers"],
    ],
    [
      "a CT log that accepts nobody",
      () =>
        edit(
          "/ct-1/ct/v1/get-roots",
          (json: { certificates: string[] }) => (json.certificates = []),
        ),
      ["ctlog accepted roots 1"],
    ],
    [
      "a CT log whose tree head was changed",
      () => edit("/ct-1/ct/v1/get-sth", (json: { tree_size: number }) => (json.tree_size += 1)),
      ["ctlog tree head 1"],
    ],
    [
      "Rekor with a key of its own",
      () => void (instance.answers["/api/v1/log/publicKey"] = ecKeyPair().publicKeyPem),
      ["rekor public key 1"],
    ],
    [
      "Rekor on another tree",
      () => edit("/api/v1/log", (json: { treeID: string }) => (json.treeID = "7")),
      ["rekor signed tree head 1"],
    ],
    [
      "Rekor that tells another root than it signs",
      () => edit("/api/v1/log", (json: { rootHash: string }) => (json.rootHash = "00".repeat(32))),
      ["rekor signed tree head 1"],
    ],
    [
      "Rekor with a changed entry",
      () =>
        edit(
          "/api/v1/log/entries?logIndex=1",
          (json: { uuid: { body: string } }) =>
            (json.uuid.body = Buffer.from("forged").toString("base64")),
        ),
      ["rekor inclusion proof 1"],
    ],
    [
      "Rekor that is not there",
      () => {
        for (const path of Object.keys(instance.answers)) {
          if (path.startsWith("/api/v1/log")) delete instance.answers[path];
        }
      },
      ["rekor public key 1", "rekor signed tree head 1", "rekor inclusion proof 1"],
    ],
    [
      "a mirror with another first root",
      () => void (instance.answers["/1.root.json"] += " "),
      ["tuf first root"],
    ],
    [
      "a mirror whose timestamp was changed",
      () =>
        edit(
          "/timestamp.json",
          (json: { signed: { version: number } }) => (json.signed.version = 2),
        ),
      [
        "tuf chain from root 1",
        "tuf trusted_root.json",
        "tuf signing_config.v0.2.json",
        "tuf revision",
      ],
    ],
    [
      "a mirror whose timestamp has expired",
      () =>
        edit(
          "/timestamp.json",
          (json: { signed: { expires: string } }) => (json.signed.expires = "2026-01-01T00:00:00Z"),
        ),
      [
        "tuf chain from root 1",
        "tuf timestamp",
        "tuf trusted_root.json",
        "tuf signing_config.v0.2.json",
        "tuf revision",
      ],
    ],
    [
      "records with another Rekor key",
      () => void (instance.outputs.records.rekor["1"]!.publicKeyPem = ecKeyPair().publicKeyPem),
      [
        "tuf trusted_root.json",
        "rekor public key 1",
        "rekor signed tree head 1",
        "rekor inclusion proof 1",
      ],
    ],
    [
      "outputs with another Fulcio",
      () => void (instance.outputs.services.fulcio = "http://127.0.0.1:1"),
      ["tuf signing_config.v0.2.json", "fulcio trust bundle", "fulcio issuers"],
    ],
    [
      "outputs with another revision",
      () => void (instance.outputs.revision = "0".repeat(64)),
      ["tuf revision"],
    ],
  ])("%s is found, and nothing else fails", async (_name, change, expected) => {
    await change();
    const findings = await readChecks();
    expect(failed(findings)).toEqual(expected);
    for (const finding of findings.filter(({ result }) => result === "fail")) {
      expect(finding.expected).toBeTruthy();
      expect(finding.hint).toBeTruthy();
    }
  });
});

describe("judgements", () => {
  const days = (count: number) => ({ version: 1, expires: new Date(count * 86_400_000) });
  const roles = (changed: object) => ({
    ...{ root: days(100), targets: days(100), snapshot: days(100), timestamp: days(1) },
    ...changed,
  });
  test.each([
    [{}, "ok"],
    [{ root: days(29) }, "warn"],
    [{ targets: days(6), snapshot: days(8) }, "warn"],
    [{ snapshot: days(6) }, "warn"],
    [{ root: days(0) }, "fail"],
    [{ timestamp: days(-1) }, "fail"],
  ])("roles that expire as in %j: %s", (changed, result) => {
    expect(judgeExpiry(roles(changed), new Date(0)).result).toBe(result);
  });

  test.each([
    [7, 7 * 86_400, "ok", "expires in 7.0 d", undefined],
    [3, 7 * 86_400, "ok", "expires in 3.0 d", undefined],
    [2.99, 7 * 86_400, "warn", "expires in 3.0 d", "at least 3.0 d of 7.0 d"],
    [0.01, 7 * 86_400, "warn", "expires in 14 min", "at least 3.0 d of 7.0 d"],
    [2.99, 3 * 86_400, "ok", "expires in 3.0 d", undefined],
    [0.5, 2 * 86_400, "warn", "expires in 12.0 h", "at least 20.6 h of 2.0 d"],
    [
      0,
      7 * 86_400,
      "fail",
      "expired 0 min ago",
      "not expired: no client takes this mirror any more",
    ],
  ])("a timestamp with %d days left of %s: %s", (left, life, result, seen, expected) => {
    const verdict = judgeTimestamp(days(left).expires, new Date(0), life);
    expect(verdict).toEqual({ result, seen, ...(expected !== undefined && { expected }) });
  });

  test("a TSA's clock", () => {
    expect(judgeClock(new Date(60_000), new Date(0), "1").result).toBe("ok");
    expect(judgeClock(new Date(90_000), new Date(0), "1")).toMatchObject({ result: "warn" });
  });
});

describe("identity token", () => {
  const jwt = (claims: object) =>
    `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.sig`;
  const claims = { iss: "https://issuer.example.test", sub: "s", aud: "sigstore", exp: 4e9 };

  test("comes from the file first, then the variable", async () => {
    const file = join(directory, "token");
    await writeFile(file, `${jwt({ ...claims, sub: "file" })}\n`);
    const variable = jwt({ ...claims, sub: "variable" });
    const { outputs } = instance;
    expect(await identityToken({ file, variable }, outputs)).toBe(jwt({ ...claims, sub: "file" }));
    expect(await identityToken({ variable }, outputs)).toBe(variable);
    await expect(identityToken({}, outputs)).rejects.toThrow(/no issuer of type kubernetes/);
  });

  test("an expired or malformed one is refused without being shown", async () => {
    const expired = jwt({ ...claims, exp: 1 });
    await expect(identityToken({ variable: expired }, instance.outputs)).rejects.toThrow(
      /SIGSTORE_ID_TOKEN expired at 1970-01-01T00:00:01.000Z$/,
    );
    await expect(identityToken({ variable: "s3cret" }, instance.outputs)).rejects.toThrow(
      /^SIGSTORE_ID_TOKEN holds no OIDC token/,
    );
  });

  test("the name that Fulcio will certify", () => {
    const { outputs } = instance;
    const email = jwt({ ...claims, email: "a@example.test" });
    expect(expectedIdentity(email, outputs)).toEqual({
      issuer: claims.iss,
      name: "a@example.test",
    });
    outputs.issuers[0]!.type = "kubernetes";
    const account = jwt({ ...claims, sub: "system:serviceaccount:ns:probe" });
    expect(expectedIdentity(account, outputs).name).toBe(
      "https://kubernetes.io/namespaces/ns/serviceaccounts/probe",
    );
  });
});

describe("the command", () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ["cli/main.ts", "verify", ...args], {
      env: { PATH: "/nonexistent" },
    }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: unknown) => error as { code: number; stdout: string; stderr: string },
    );

  test.each<[string, string[], RegExp]>([
    ["an unknown option", ["--nonsense"], /unknown option '--nonsense'/],
    ["a limit that is none", ["--timeout", "soon"], /whole seconds/],
    ["no pulumi", [], /pulumi is not on PATH/],
    ["a missing file", ["--outputs", "/nonexistent.json"], /ENOENT/],
  ])("%s: exit code 2, one clear line", async (_name, args, message) => {
    const result = await run(...args);
    expect(result.stderr).toMatch(message);
    expect(result).toMatchObject({ code: 2, stdout: "" });
  });

  test.each([
    ["{}", /not deployed/],
    ["no json", /holds no JSON/],
    ['{"mirror":1}', /mirror: .*pulumi up/],
  ])("outputs %s: exit code 2", async (text, message) => {
    const file = join(directory, "outputs.json");
    await writeFile(file, text);
    const result = await run("--outputs", file);
    expect(result.stderr).toMatch(message);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
    expect(result).toMatchObject({ code: 2, stdout: "" });
  });

  test("a token file that is not there: exit code 2", async () => {
    const file = join(directory, "outputs.json");
    await writeFile(file, JSON.stringify(instance.outputs));
    const result = await run("--outputs", file, "--identity-token-file", "/nonexistent");
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/--identity-token-file \/nonexistent: ENOENT/);
  });

  test("failed checks: exit code 1, JSON on standard output", async () => {
    const file = join(directory, "outputs.json");
    await writeFile(file, JSON.stringify(instance.outputs));
    const result = await run("--outputs", file, "--json", "--timeout", "5");
    expect(result.code).toBe(1);
    const { findings, summary } = JSON.parse(result.stdout) as {
      findings: Finding[];
      summary: object;
    };
    expect(summary).toEqual({ passed: false, ok: 13, warn: 0, fail: 5 });
    expect(failed(findings).map((name) => name.split(" ")[0])).toEqual([
      "tsa",
      "tsa",
      "signing",
      "signing",
      "signing",
    ]);
  });

  test("--help names the exit codes", async () => {
    const result = await run("--help");
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toMatch(/Exit code: 0 all is well/);
  });
});
