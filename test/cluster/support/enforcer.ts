import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { addresses, layout, nodeName } from "../../../local/node/layout.ts";
import { ensureProgram } from "../../../local/tools/gobuild.ts";
import { enforcer } from "../../../local/tools/programs.ts";

/** Network policies that are enforced. */
export interface Enforcement {
  /** Takes every rule away. */
  stop(): Promise<void>;
}

/**
 * Makes the node of `npm start` keep its network policies.
 * @throws Error with the enforcer's words when it does not start within a minute
 */
export async function startEnforcer(): Promise<Enforcement> {
  const program = await ensureProgram(enforcer, (line) => process.stderr.write(`  ${line}\n`));
  const args = [
    "--kubeconfig",
    layout.kubeconfig,
    "--node",
    nodeName,
    "--bridge",
    addresses.bridge,
  ];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-2000)));
  const ended = once(child, "exit");
  const started = new Promise<void>((resolve, reject) => {
    createInterface(child.stdout).on("line", (line) => {
      if (line === "enforcing") resolve();
    });
    void ended.then(() => reject(new Error(`the enforcer has ended: ${said}`)));
    setTimeout(() => reject(new Error(`the enforcer does not start: ${said}`)), 60_000).unref();
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  await started.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { stop };
}
