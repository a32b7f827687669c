import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ensureRelease, missingRelease } from "../downloads/index.ts";
import { pluginNames, pluginRelease, type PluginName } from "../downloads/releases.ts";
import type { Report } from "../report.ts";
import { run } from "../tools/run.ts";

/** Where the engine looks for a plugin; a file beside it marks one that is half there. */
function isInstalled(name: PluginName): boolean {
  const home = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
  const folder = join(home, "plugins", `resource-${name}-${pluginRelease(name).version}`);
  return existsSync(folder) && !existsSync(`${folder}.partial`);
}

/**
 * Whether the official plugins are there, or could be downloaded.
 * @returns undefined, or why not
 */
export async function missingPlugins(isPatient: boolean): Promise<string | undefined> {
  const absent = pluginNames.filter((name) => !isInstalled(name));
  const reasons = await Promise.all(
    absent.map((name) => missingRelease(pluginRelease(name), isPatient)),
  );
  return reasons.find((reason) => reason !== undefined);
}

/**
 * Makes sure that the official plugins are where the engine looks for them. It would download them
 * itself, but hold them against nothing.
 * @throws LocalError naming the plugin, the cause and the remedy
 */
export async function ensurePlugins(pulumi: string, report: Report): Promise<void> {
  for (const name of pluginNames.filter((one) => !isInstalled(one))) {
    const release = pluginRelease(name);
    const archive = await ensureRelease(release, report);
    const args = ["plugin", "install", "resource", name, release.version, "--file", archive];
    await run(pulumi, args, {
      what: `Installing the plugin ${name} ${release.version}`,
      env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
  }
}
