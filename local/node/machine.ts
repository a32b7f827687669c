// The machine as it was before the node: what a stop puts back.
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { currentTables } from "./iptables.ts";
import { layout } from "./layout.ts";
import { readSettings } from "./network.ts";
import { bootId } from "./processes.ts";

/** Kept in `<run>/machine.json` from a node's first start to its stop. */
export interface Machine {
  boot: string;
  /** Tables of iptables that were there, as `ip/nat`. */
  tables: string[];
  /** Fixed folders outside the project's own that were not there. */
  missingFolders: string[];
  /** Kernel settings by their path below /proc/sys. */
  settings: Record<string, string>;
}

/** Folders that containerd, libcni and kubelet use whatever their configuration says, leaves first. */
const fixedFolders = [
  "/var/lib/kubelet/device-plugins",
  "/var/lib/kubelet",
  "/var/lib/cni/results",
  "/var/lib/cni",
  "/var/log/containers",
  "/run/containerd/s",
  "/run/containerd",
];

const path = (): string => join(layout.run, "machine.json");

/**
 * What was noted before the node's start; undefined if none was started since this boot. While it
 * is there, the bridge, the chains and the cgroup on the machine are ours.
 */
export function notedMachine(): Machine | undefined {
  if (!existsSync(path())) return undefined;
  const machine = JSON.parse(readFileSync(path(), "utf8")) as Machine;
  return machine.boot === bootId() ? machine : undefined;
}

export async function noteMachine(): Promise<void> {
  const machine: Machine = {
    boot: bootId(),
    tables: await currentTables(),
    missingFolders: fixedFolders.filter((folder) => !existsSync(folder)),
    settings: readSettings(),
  };
  mkdirSync(layout.run, { recursive: true, mode: 0o700 });
  writeFileSync(path(), JSON.stringify(machine, null, 2));
}

/** Removes the fixed folders that came with the node, if nothing is in them. */
export function removeFixedFolders(machine: Machine): void {
  for (const folder of fixedFolders.filter((each) => machine.missingFolders.includes(each))) {
    try {
      rmdirSync(folder);
    } catch {
      // somebody else's files are in it by now, or it was never made
    }
  }
}

export function forgetMachine(): void {
  rmSync(path(), { force: true });
}
