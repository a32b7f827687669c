// The Debian packages that a node and the image of the services need.
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { LocalError } from "../errors.ts";
import type { Report } from "../report.ts";
import { run } from "./run.ts";

/** Package and a file of it that we use: a program installed in another way counts too. */
const needed: Readonly<Record<string, readonly string[]>> = {
  "etcd-server": ["etcd"],
  containerd: ["containerd", "ctr"],
  runc: ["runc"],
  "containernetworking-plugins": ["/usr/lib/cni/bridge", "/usr/lib/cni/host-local"],
  iptables: ["iptables"],
  conntrack: ["conntrack"],
  iproute2: ["ip"],
  mmdebstrap: ["mmdebstrap"],
};

const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

function isThere(program: string): boolean {
  if (program.startsWith("/")) return existsSync(program);
  return folders.some((folder) => existsSync(`${folder}/${program}`));
}

/** The packages of which a program is missing on this machine. */
export function missingPackages(isProgramThere: (program: string) => boolean = isThere): string[] {
  return Object.entries(needed)
    .filter(([, programs]) => !programs.every(isProgramThere))
    .map(([name]) => name);
}

const what = "Installing the node's packages";

function apt(args: readonly string[]): Promise<string> {
  return run("apt-get", ["-o", "DPkg::Lock::Timeout=120", ...args], {
    what,
    env: { DEBIAN_FRONTEND: "noninteractive" },
    whenMissing:
      'A node of our own needs Debian or Ubuntu; elsewhere name a cluster: "npm start -- --context NAME"',
  });
}

/** invoke-rc.d(8) asks this file: no package may start a service of its own on our ports. */
const policyFile = "/usr/sbin/policy-rc.d";

async function withoutServices(install: () => Promise<void>): Promise<void> {
  if (existsSync(policyFile)) return install();
  await writeFile(policyFile, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await install();
  } finally {
    await rm(policyFile, { force: true });
  }
}

/**
 * Installs the Debian packages that the node needs and this machine lacks; starts no service.
 * @param names those that are wanted now; all if left out
 * @throws LocalError when not root, not on Debian, without network or with a full disk
 */
export async function ensurePackages(report: Report, names = Object.keys(needed)): Promise<void> {
  const missing = missingPackages().filter((name) => names.includes(name));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    const command = `sudo apt-get install --no-install-recommends ${missing.join(" ")}`;
    throw new LocalError(`${what}: only root can install packages. Run "${command}" first.`);
  }
  report(`packages: installing ${missing.join(" ")}`);
  // Lists of a repository that we do not use may be unreachable: the installation decides.
  const stale = await apt(["update"]).then(
    () => undefined,
    (error: unknown) => error,
  );
  await withoutServices(async () => {
    await apt(["install", "--yes", "--no-install-recommends", ...missing]);
  }).catch((error: unknown) => {
    throw stale ?? error;
  });
}
