import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as YAML from "yaml";
import * as z from "zod";
import { CannotRun } from "../errors.ts";
import { askPulumi, stackFlag } from "../pulumi.ts";
import { stackOf, type State } from "../state.ts";
import { judgeOwner, lockSchema, type Host, type Lock } from "./owner.ts";

const whoAmI = z.object({ url: z.string() });
const projectFile = fileURLToPath(new URL("../../Pulumi.yaml", import.meta.url));

/** Where the stack's state and locks are kept. */
export interface Backend {
  url: string;
  /** The folder with the stack's lock files, where this process can read them. */
  lockFolder?: string;
}

/** Asks Pulumi for the backend that it uses. */
export async function findBackend(stack: string | undefined, state: State): Promise<Backend> {
  const { url } = whoAmI.parse(JSON.parse(await askPulumi(["whoami", "--verbose", "--json"])));
  const folder = stateFolder(url, homedir());
  if (folder === undefined) return { url };
  const { project, name } = stackOf(state) ?? {
    project: (YAML.parse(readFileSync(projectFile, "utf8")) as { name: string }).name,
    name: (await askPulumi(["stack", "--show-name", ...stackFlag(stack)])).trim(),
  };
  // Self-managed backends have one organization, of this name (pkg/backend/diy).
  return { url, lockFolder: join(folder, ".pulumi", "locks", "organization", project, name) };
}

/** The folder of a `file://` backend; undefined for any other. */
export function stateFolder(url: string, home: string): string | undefined {
  const path = /^file:\/\/([^?]*)/.exec(url)?.[1];
  return path?.replace(/^~(?=\/|$)/, home);
}

/** The locks of a folder. @throws CannotRun when one is not of the form that Pulumi writes */
export function readLocks(folder: string): Lock[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => {
      const path = join(folder, file);
      const parsed = lockSchema.safeParse(jsonOf(path));
      if (parsed.success) return parsed.data;
      throw new CannotRun(
        `${path} is no lock that this version reads. See that no update runs, then: pulumi cancel`,
      );
    });
}

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** The owners that Pulumi names when it finds a stack locked; none in any other text. */
export function locksInMessage(text: string): Lock[] {
  const owners = text.matchAll(/created by (\S+?)@(\S+) \(pid (\d+)\) at (\S+)/g);
  return [...owners].flatMap(([, username, host, pid, timestamp]) => {
    const lock = { username, hostname: host, pid: Number(pid), timestamp };
    return lockSchema.safeParse(lock).data ?? [];
  });
}

/**
 * That no owner of these locks works any more.
 *
 * @param ownerIsGone the user's own statement about owners on other machines
 * @returns a line for each lock
 * @throws CannotRun while an owner lives, or may live
 */
export function assertDead(locks: readonly Lock[], host: Host, ownerIsGone: boolean): string[] {
  return locks.map((lock) => {
    const { owner, why } = judgeOwner(lock, host);
    if (owner === "alive")
      throw new CannotRun(`The stack is locked by ${why}. Wait for it, or end it with Ctrl-C.`);
    if (owner === "elsewhere" && !ownerIsGone)
      throw new CannotRun(
        `The stack is locked by ${why}. See there that no update runs; then state it with ` +
          "--owner-is-gone.",
      );
    return why;
  });
}
