import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheDir } from "../paths.ts";
import { projectDir } from "./environment.ts";

/** An executable on the caller's PATH that is not one of ours; undefined if there is none. */
export function onPath(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .filter((dir) => dir !== "" && !dir.startsWith(cacheDir) && !dir.startsWith(projectDir))
    .map((dir) => join(dir, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
