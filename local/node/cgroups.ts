// The node's cgroups: made before kubelet starts (it does not make its root itself), searched for
// processes, removed at the end. Works on cgroup v1 (one folder a controller) and v2 (one folder).
import {
  type Dirent,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
} from "node:fs";
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LocalError } from "../errors.ts";
import { cgroupName } from "./layout.ts";
import { identify, type ProcessId } from "./processes.ts";

const mountPoint = "/sys/fs/cgroup";
const needed = ["cpu", "cpuset", "memory", "pids"];

/** On v2 the mount itself lists the controllers. */
const isV2 = (): boolean => existsSync(join(mountPoint, "cgroup.controllers"));

function hierarchies(): string[] {
  if (isV2()) return [mountPoint];
  return readdirSync(mountPoint)
    .map((entry) => join(mountPoint, entry))
    .filter((path) => statSync(path).isDirectory());
}

/** @throws LocalError if the machine's cgroups cannot carry a node. */
export function assertCgroups(): void {
  const controllers = isV2()
    ? readFileSync(join(mountPoint, "cgroup.controllers"), "utf8").trim().split(" ")
    : existsSync(mountPoint)
      ? readdirSync(mountPoint)
      : [];
  const missing = needed.filter((controller) => !controllers.includes(controller));
  if (missing.length === 0) return;
  throw new LocalError(
    `The local node needs the cgroup controllers ${missing.join(", ")}, which are not mounted at ` +
      `${mountPoint}. Mount them, or use an existing cluster: npm start -- --context NAME.`,
  );
}

/** Makes the node's cgroup in every hierarchy. */
export function makeCgroups(): void {
  try {
    if (isV2()) {
      // Children may use only what their parent hands down.
      const available = readFileSync(join(mountPoint, "cgroup.controllers"), "utf8").trim();
      const wish = available.split(" ").map((controller) => `+${controller}`);
      writeFileSync(join(mountPoint, "cgroup.subtree_control"), wish.join(" "));
    }
    for (const path of hierarchies().filter((each) => basename(each) !== "unified")) {
      mkdirSync(join(path, cgroupName), { recursive: true });
    }
  } catch (error) {
    throw new LocalError(
      `The local node cannot make its cgroup below ${mountPoint}: ${(error as Error).message}. ` +
        "In a container, run it with its own writable cgroup namespace, or use an existing " +
        "cluster: npm start -- --context NAME.",
    );
  }
}

/** The folder and everything below it, deepest first; a container's goes with it, at any moment. */
export function tree(path: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const below = entries.filter((entry) => entry.isDirectory());
  return [...below.flatMap((entry) => tree(join(path, entry.name))), path];
}

const ownCgroups = (): string[] =>
  existsSync(mountPoint) ? hierarchies().flatMap((path) => tree(join(path, cgroupName))) : [];

/** Every process in a container of the node, with the name of its innermost cgroup. */
export function containedProcesses(): { id: ProcessId; cgroup: string }[] {
  const found = new Map<number, { id: ProcessId; cgroup: string }>();
  for (const path of ownCgroups()) {
    for (const line of readProcs(path)) {
      const id = identify(Number(line));
      if (id) found.set(id.pid, { id, cgroup: basename(path) });
    }
  }
  return [...found.values()];
}

function readProcs(path: string): string[] {
  try {
    return readFileSync(join(path, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
  } catch {
    return []; // removed meanwhile
  }
}

/** Removes the node's cgroups; gives those that could not be removed. */
export async function removeCgroups(): Promise<string[]> {
  // A cgroup stays busy for some milliseconds after its last process has gone.
  for (let attempt = 0; attempt < 20; attempt++) {
    for (const path of ownCgroups()) {
      try {
        rmdirSync(path);
      } catch {
        // still busy
      }
    }
    if (ownCgroups().length === 0) return [];
    await sleep(50);
  }
  return ownCgroups();
}

export { ownCgroups };
