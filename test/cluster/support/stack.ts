import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";
import { oneLine } from "../../../cli/errors.ts";
import { parseOutputs } from "../../../cli/verify/outputs.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { kubeconfigFile } from "../../../local/stack/environment.ts";
import { ensureTools } from "../../../local/tools/index.ts";
import { adminKubeconfig } from "./node.ts";
import { mustRun, run } from "./process.ts";

export const projectRoot = fileURLToPath(new URL("../../..", import.meta.url));

/** A deployed stack that answers, and the programs to try it with. */
export interface Stack {
  outputs: StackOutputs;
  cosign: string;
  crane: string;
}

/** Progress of what takes long (building a tool), seen even while tests run. */
const report = (line: string) => process.stderr.write(`  ${line}\n`);

/** Runs Pulumi on the local stack as `npm run pulumi --` does. */
export const pulumi = (...args: string[]) =>
  run(process.execPath, ["local/cli.ts", "pulumi", ...args], {
    cwd: projectRoot,
    limitMs: 900_000,
  });

/** The stack's outputs as they are now. */
export async function readOutputs(): Promise<StackOutputs> {
  const file = process.env.ANCHORHOLD_OUTPUTS;
  if (file) return parseOutputs(await readFile(file, "utf8"), file);
  const { code, stdout, stderr } = await pulumi("stack", "output", "--json");
  if (code !== 0) throw new Error(`the outputs cannot be read: ${stderr.trim()}`);
  return parseOutputs(stdout, "the local stack");
}

/** For programs under test that `local/cli.ts` does not run: they are the deploying identity's. */
export const asDeployer = (): NodeJS.ProcessEnv => ({
  ...process.env,
  KUBECONFIG: kubeconfigFile,
});

/** The running stack, or why there is none. */
async function findStack(): Promise<Stack | { reason: string }> {
  if (!process.env.ANCHORHOLD_OUTPUTS && !existsSync(kubeconfigFile)) {
    return { reason: "no local stack on this machine" };
  }
  try {
    const outputs = await readOutputs();
    const answer = await fetch(outputs.mirror.rootUrl, { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) return { reason: `${outputs.mirror.rootUrl} answers HTTP ${answer.status}` };
    // What a test does to the cluster, it does as its administrator.
    if (existsSync(kubeconfigFile)) process.env.KUBECONFIG = adminKubeconfig();
    const { cosign, crane } = await ensureTools(["cosign", "crane", "pulumi"], report);
    if (cosign === undefined || crane === undefined) throw new Error("a tool has no path");
    return { outputs, cosign, crane };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * A suite against the running stack. Without one it is reported as skipped, with the reason in
 * its name; where a cluster is demanded (CI or ANCHORHOLD_REQUIRE_CLUSTER is set) it fails.
 */
export async function describeStack(name: string, define: (stack: Stack) => void): Promise<void> {
  const found = await findStack();
  if (!("reason" in found)) {
    describe(name, () => define(found));
    return;
  }
  const why = `${name}: no running stack (${oneLine(found.reason).slice(0, 300)}); start one: npm start`;
  if (process.env.CI || process.env.ANCHORHOLD_REQUIRE_CLUSTER) {
    test(name, () => {
      throw new Error(why);
    });
    return;
  }
  console.warn(`SKIPPED ${why}`);
  describe.skip(why, () => {
    test("skipped", () => {});
  });
}

/** Runs `anchorhold verify` in a process of its own. */
export const anchorholdVerify = (...args: string[]) =>
  run(process.execPath, ["cli/main.ts", "verify", ...args], {
    cwd: projectRoot,
    env: asDeployer(),
  });

/** `npm run anchorhold -- verify`: of the local stack, as its state has it now. */
export const verifyLocal = () =>
  run(process.execPath, ["local/cli.ts", "anchorhold", "verify"], { cwd: projectRoot });

export { newToken, probeIdentity, type Identity } from "./identity.ts";
export { mustRun };
