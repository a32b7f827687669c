import { existsSync, mkdirSync, readFileSync, statfsSync } from "node:fs";
import { LocalError } from "../errors.ts";
import { assertCgroups } from "./cgroups.ts";
import { run } from "./exec.ts";
import { assertNoForeignChains } from "./iptables.ts";
import { layout } from "./layout.ts";
import { assertNetworkFree } from "./network.ts";

const otherCluster = "or use an existing cluster: npm start -- --context NAME";

/** @throws LocalError if this user cannot run a node. */
export function assertRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new LocalError(
    `A local node needs root (network devices, mounts, cgroups). Repeat as root, ${otherCluster}.`,
  );
}

/** A feature of the kernel, the file that shows it and the module that brings it. */
const features = [
  { file: "/proc/sys/net/bridge/bridge-nf-call-iptables", module: "br_netfilter" },
  { file: "/proc/sys/net/netfilter", module: "nf_conntrack" },
  { file: "/dev/kmsg", module: "" },
];

async function assertKernel(): Promise<void> {
  for (const { file, module } of features) {
    if (!existsSync(file) && module) await run("modprobe", [module]);
    if (existsSync(file)) continue;
    const remedy = module ? `Load the kernel module ${module}` : `Provide ${file}`;
    throw new LocalError(`A local node needs ${file}. ${remedy}, ${otherCluster}.`);
  }
  if (!hasOverlay()) await run("modprobe", ["overlay"]);
  if (!hasOverlay()) {
    throw new LocalError(
      `A local node needs the overlay filesystem. Load the kernel module overlay, ${otherCluster}.`,
    );
  }
}

const hasOverlay = (): boolean => /\toverlay$/m.test(readFileSync("/proc/filesystems", "utf8"));

/** Magic number of overlayfs in statfs(2). */
const overlayMagic = 0x794c7630;

function assertFolders(): void {
  mkdirSync(layout.containerdRoot, { recursive: true });
  if (statfsSync(layout.containerdRoot).type === overlayMagic) {
    throw new LocalError(
      `${layout.containerdRoot} lies on an overlay filesystem, on which images cannot be ` +
        "unpacked. Set ANCHORHOLD_CACHE to a folder on a disk or volume, then repeat.",
    );
  }
  // The address of a Unix socket has 107 bytes; the longest below is kubelet's for device plugins.
  if (layout.run.length > 70) {
    throw new LocalError(
      `${layout.run} is too long a path for the sockets in it (70 characters at most). ` +
        "Set ANCHORHOLD_HOME to a shorter one, then repeat.",
    );
  }
}

/**
 * Everything that can be known before the first change to the machine.
 * @param fresh whether no part of the node runs yet
 */
export async function preflight(fresh: boolean): Promise<void> {
  assertCgroups();
  assertFolders();
  await assertKernel();
  if (!fresh) return;
  assertNetworkFree();
  await assertNoForeignChains();
}
