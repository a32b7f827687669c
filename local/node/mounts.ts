import { readFileSync } from "node:fs";
import { sep } from "node:path";
import { run } from "./exec.ts";

/**
 * Mount points below the given folders, innermost and latest first, from the text of
 * /proc/self/mountinfo (proc(5): field 5 is the mount point, with spaces and the like as `\040`).
 */
export function mountsBelow(mountinfo: string, folders: readonly string[]): string[] {
  return mountinfo
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .map((path) => path.replace(/\\([0-7]{3})/g, (_, code: string) => decodeOctal(code)))
    .filter((path) => folders.some((folder) => path.startsWith(folder + sep)))
    .reverse();
}

const decodeOctal = (code: string): string => String.fromCharCode(Number.parseInt(code, 8));

/** Mount points below the given folders at this moment. */
export function currentMounts(folders: readonly string[]): string[] {
  return mountsBelow(readFileSync("/proc/self/mountinfo", "utf8"), folders);
}

/** Unmounts everything below the given folders; gives what is still mounted after that. */
export async function unmountBelow(folders: readonly string[]): Promise<string[]> {
  for (const flags of [[], ["--lazy"]]) {
    const mounts = currentMounts(folders);
    if (mounts.length === 0) return [];
    await run("umount", [...flags, ...mounts]);
  }
  return currentMounts(folders);
}
