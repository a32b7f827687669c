import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDir, homeDir } from "../paths.ts";
import { fileBackend } from "../pulumi/backend.ts";
import type { Report } from "../report.ts";

/** The checkout that this file lies in. */
export const projectDir = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The stack's configuration as it is deployed here: the committed file and what was chosen. */
export const stackFile = join(homeDir, "Pulumi.local.yaml");

/** What was chosen on this machine when the stack was brought up. */
export const choicesFile = join(homeDir, "choices.json");

/** Where the kubeconfig of the cluster that was chosen last is written. */
export const kubeconfigFile = join(homeDir, "cluster.kubeconfig");

/** The stack's outputs as a file, for programs that do not run Pulumi. */
export const outputsFile = join(homeDir, "outputs.json");

export const passphraseFile = join(homeDir, "passphrase");
const backendDir = join(homeDir, "state");

/** Makes the state folders and, once, the passphrase that encrypts the state. */
export function prepareHome(): void {
  mkdirSync(backendDir, { recursive: true, mode: 0o700 });
  if (!existsSync(passphraseFile))
    writeFileSync(passphraseFile, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
}

/** Removes all that Pulumi keeps of the local stack, the keys with it. */
export function removeState(report: Report): void {
  const kept = [backendDir, passphraseFile, stackFile, choicesFile, kubeconfigFile, outputsFile];
  for (const path of kept) rmSync(path, { recursive: true, force: true });
  report(`State: removed from ${homeDir}`);
}

/**
 * The environment of the Pulumi and anchorhold commands. What the caller has set wins, so that
 * another backend or passphrase can be named.
 *
 * @param binDirs folders that come first on PATH
 */
export function environment(binDirs: readonly string[]): NodeJS.ProcessEnv {
  const own: NodeJS.ProcessEnv = {
    PULUMI_BACKEND_URL: fileBackend(backendDir),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_STACK: "local",
    // For anchorhold: Pulumi with what stands behind it here, run in the project's folder.
    ANCHORHOLD_PULUMI: "node local/cli.ts pulumi",
    // Compiled modules are kept: half a second of every preview is Node reading the SDKs.
    NODE_COMPILE_CACHE: join(cacheDir, "node"),
    ...(process.env.PULUMI_CONFIG_PASSPHRASE === undefined
      ? { PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile }
      : {}),
    ...(existsSync(kubeconfigFile) ? { KUBECONFIG: kubeconfigFile } : {}),
  };
  const nodeBin = join(projectDir, "node_modules", ".bin");
  return {
    ...own,
    ...process.env,
    ...(own.KUBECONFIG === undefined ? {} : { KUBECONFIG: own.KUBECONFIG }),
    PATH: [...binDirs, nodeBin, process.env.PATH ?? ""].join(delimiter),
  };
}
