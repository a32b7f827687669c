import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Finding } from "../../cli/verify/finding.ts";
import type { StackOutputs } from "../../infra/outputs.ts";
import { freePort } from "./support/registry.ts";
import { run } from "./support/process.ts";
import { anchorholdVerify, asDeployer, describeStack, projectRoot } from "./support/stack.ts";

interface Report {
  findings: Finding[];
  summary: { passed: boolean; ok: number; warn: number; fail: number };
}

await describeStack("anchorhold verify", ({ outputs }) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "anchorhold-verify-test-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Runs the command with outputs that were changed. */
  async function verify(change: (outputs: StackOutputs) => void, ...args: string[]) {
    const file = join(folder, "outputs.json");
    const changed = structuredClone(outputs);
    change(changed);
    await writeFile(file, JSON.stringify(changed));
    return anchorholdVerify("--outputs", file, ...args);
  }

  test("passes, as a table", async () => {
    const { code, stdout } = await verify(() => {});
    expect(stdout).toMatch(/\nVerified: \d+ ok, 0 warnings, 0 failed\.\n$/);
    expect(code).toBe(0);
  });

  test("passes, as JSON that covers every service", async () => {
    const { code, stdout } = await verify(() => {}, "--json");
    const { findings, summary } = JSON.parse(stdout) as Report;
    expect(code).toBe(0);
    expect(summary).toEqual({ passed: true, ok: findings.length, warn: 0, fail: 0 });
    expect(new Set(findings.map(({ service }) => service))).toEqual(
      new Set(["tuf", "fulcio", "ctlog", "rekor", "tsa", "signing"]),
    );
  });

  test("anchorhold token prints a token of the probe and nothing else", async () => {
    const file = join(folder, "as-they-are.json");
    await writeFile(file, JSON.stringify(outputs));
    const args = ["cli/main.ts", "token", "--outputs", file];
    const { code, stdout } = await run(process.execPath, args, {
      cwd: projectRoot,
      env: asDeployer(),
    });
    const [, payload = "", ...rest] = stdout.trimEnd().split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as { sub: string };
    const { namespace, serviceAccount } = outputs.probe;
    expect(claims.sub).toBe(`system:serviceaccount:${namespace}:${serviceAccount}`);
    expect(rest).toHaveLength(1);
    expect(code).toBe(0);
  });

  describe("outputs that do not fit the instance", () => {
    const otherKey = () =>
      generateKeyPairSync("ec", { namedCurve: "P-256" })
        .publicKey.export({ type: "spki", format: "pem" })
        .toString();

    test.each<[string, (outputs: StackOutputs) => void, string[]]>([
      [
        "another Rekor key",
        ({ records }) => void (records.rekor["1"]!.publicKeyPem = otherKey()),
        ["rekor", "tuf"],
      ],
      [
        "another CT log key",
        ({ records }) => void (records.ctLog["1"]!.publicKeyPem = otherKey()),
        ["ctlog", "tuf"],
      ],
      [
        "the TSA's chain as Fulcio's",
        ({ records }) => void (records.fulcioCa["1"]!.chain = records.tsa["1"]!.chain),
        ["ctlog", "fulcio", "tuf"],
      ],
      [
        "Fulcio's chain as the TSA's",
        ({ records }) =>
          void (records.tsa["1"]!.chain = [
            ...records.fulcioCa["1"]!.chain,
            ...records.fulcioCa["1"]!.chain,
          ]),
        ["tsa", "tuf"],
      ],
      ["another first root", (changed) => void (changed.initialRoot += " "), ["tuf"]],
      ["a tree of its own", ({ records }) => void (records.rekor["1"]!.treeId = "1"), ["rekor"]],
    ])("%s: exit code 1, and the service is named", async (_name, change, services) => {
      const { code, stdout } = await verify(change, "--json");
      expect(code).toBe(1);
      const { findings } = JSON.parse(stdout) as Report;
      const failed = findings.filter(({ result }) => result === "fail");
      expect([...new Set(failed.map(({ service }) => service))].sort()).toEqual(services);
    });

    test("a service that is not there: the others are still checked", async () => {
      const port = await freePort();
      const { code, stdout } = await verify((changed) => {
        changed.services.fulcio = `http://127.0.0.1:${port}`;
      });
      expect(code).toBe(1);
      expect(stdout).toMatch(/FAIL +fulcio +trust bundle +GET .*ECONNREFUSED/);
      expect(stdout).toMatch(/ok +rekor +public key/);
    });
  });
});
