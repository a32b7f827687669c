// What the tests of databases and of Rekor's data run on this machine: the database of the local
// image, and the cluster's own programs.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "../report.ts";
import { ensureProgram } from "../tools/gobuild.ts";
import { ensurePackages } from "../tools/index.ts";
import { services } from "../tools/programs.ts";
import { ensureRootfs, rootfs, rootfsDirectory } from "./rootfs.ts";

const programs = ["trillian-log-server", "trillian-log-signer", "rekor"] as const;

/** Whether the image's file system is in the cache, which only root on Debian can make. */
export const hasDatabase = (): boolean =>
  existsSync(join(rootfsDirectory(rootfs.services), "rootfs.tar"));

/**
 * Makes sure that database and programs are in the cache.
 * @throws LocalError naming the thing, the cause and the remedy
 */
export async function ensureDataServices(report: Report): Promise<void> {
  const database = async () => {
    if (!hasDatabase()) await ensurePackages(report, ["mmdebstrap"]);
    await ensureRootfs(rootfs.services, report);
  };
  const builds = programs.map((name) => ensureProgram(services[name], report));
  await Promise.all([database(), ...builds]);
}
