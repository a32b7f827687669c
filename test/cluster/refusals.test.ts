import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { homeDir } from "../../local/paths.ts";
import { isOurNode, whySkipped } from "./support/node.ts";
import { run } from "./support/process.ts";
import { describeStack, newToken, projectRoot } from "./support/stack.ts";

await describeStack("npm start refuses, and changes nothing", (stack) => {
  let home: string;

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "anchorhold-refusals-"));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  /** `npm start -- ARGS` with a home of its own, so that the running stack is not touched. */
  const start = (kubeconfig: string, ...args: string[]) =>
    run(process.execPath, ["local/cli.ts", "up", ...args], {
      cwd: projectRoot,
      env: { ...process.env, ANCHORHOLD_HOME: join(home, "home"), KUBECONFIG: kubeconfig },
    });

  /** A kubeconfig with one context, "limited": the running cluster, or one that is not there. */
  function kubeconfig(name: string, user: { token: string }, server?: string): string {
    const running = new KubeConfig();
    running.loadFromDefault();
    const cluster = running.getCurrentCluster();
    if (cluster === null) throw new Error("the kubeconfig names no cluster");
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ ...cluster, ...(server === undefined ? {} : { server }) }],
      users: [{ name: "limited", token: user.token }],
      contexts: [{ name: "limited", cluster: cluster.name, user: "limited" }],
      currentContext: "limited",
    });
    const path = join(home, name);
    writeFileSync(path, config.exportConfig(), { mode: 0o600 });
    return path;
  }

  test("a context that is not there", async () => {
    const path = kubeconfig("unknown-context", { token: "none" });
    const { code, stderr } = await start(path, "--context", "nope");
    expect(stderr).toMatch(/--context nope: the kubeconfig has no such context; it has limited\./);
    expect(code).toBe(1);
  });

  test("a kubeconfig that is not there", async () => {
    const { code, stderr } = await start(join(home, "missing"), "--context", "limited");
    expect(stderr).toMatch(/The kubeconfig cannot be read .*missing.* Set KUBECONFIG/);
    expect(code).toBe(1);
  });

  test("a cluster that does not answer", async () => {
    const path = kubeconfig("no-cluster", { token: "none" }, "https://127.0.0.1:39871");
    const { code, stderr } = await start(path, "--context", "limited");
    expect(stderr).toMatch(/The cluster of context "limited" does not answer \(.*ECONNREFUSED/);
    expect(code).toBe(1);
  });

  test("a user without rights", async () => {
    // The probe's account may do nothing; a token for Fulcio is none for the API, so ask for one.
    const path = kubeconfig("no-rights", { token: await apiToken(stack.outputs.probe) });
    const { code, stderr } = await start(path, "--context", "limited");
    expect(stderr).toMatch(/The user of context "limited" may not create Secrets in namespace/);
    expect(code).toBe(1);
  });

  test("a token that the API does not know", async () => {
    const path = kubeconfig("wrong-token", { token: await newToken(stack.outputs) });
    const { code, stderr } = await start(path, "--context", "limited");
    expect(stderr).toMatch(/The cluster of context "limited" does not answer|may not create/);
    expect(code).toBe(1);
  });

  /** `npm start` on the running stack itself. */
  const startAgain = (env: NodeJS.ProcessEnv = {}) =>
    run(process.execPath, ["local/cli.ts", "up"], {
      cwd: projectRoot,
      env: { ...process.env, ...env },
      limitMs: 300_000,
    });

  test.skipIf(!isOurNode)(`a wrong passphrase${whySkipped}`, async () => {
    const { code, stderr } = await startAgain({ PULUMI_CONFIG_PASSPHRASE: "wrong" });
    expect(stderr).toMatch(/Nothing was changed\. The passphrase is not the one .* unset PULUMI_/);
    expect(code).toBe(1);
  });

  test.skipIf(!isOurNode)(`a lock that another run holds${whySkipped}`, async () => {
    const folder = join(homeDir, "state/.pulumi/locks/organization/anchorhold/local");
    const lock = join(folder, "of-a-test.json");
    mkdirSync(folder, { recursive: true });
    const owner = { pid: 1, username: "test", hostname: "test", timestamp: "2026-01-01T00:00:00Z" };
    writeFileSync(lock, JSON.stringify(owner));
    try {
      const { code, stderr } = await startAgain();
      expect(stderr).toMatch(
        /Nothing was changed\. If the other run .*`npm run anchorhold -- recover`/,
      );
      expect(code).toBe(1);
    } finally {
      rmSync(lock);
    }
  });

  test("none of them made a stack", () => {
    expect(readdirSync(join(home, "home"), { recursive: true }).map(String)).not.toContain(
      "Pulumi.local.yaml",
    );
  });
});

async function apiToken(probe: { namespace: string; serviceAccount: string }): Promise<string> {
  const config = new KubeConfig();
  config.loadFromDefault();
  const reply = await config.makeApiClient(CoreV1Api).createNamespacedServiceAccountToken({
    name: probe.serviceAccount,
    namespace: probe.namespace,
    body: { spec: { audiences: [], expirationSeconds: 600 } },
  });
  const token = reply.status?.token;
  if (token === undefined) throw new Error("the cluster made no token");
  return token;
}
