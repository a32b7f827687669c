// Where the local ladder keeps its files, all of them outside the checkout.
import { homedir } from "node:os";
import { join, resolve } from "node:path";

const directory = (variable: string, fallback: string): string => {
  const chosen = process.env[variable];
  return chosen ? resolve(chosen) : join(homedir(), fallback);
};

/** Finished builds, by version: safe to delete, the next start makes them again. */
export const cacheDir: string = directory("ANCHORHOLD_CACHE", ".cache/anchorhold");

/** State: Pulumi's file backend and passphrase, etcd's data, the database volume. */
export const homeDir: string = directory("ANCHORHOLD_HOME", ".local/share/anchorhold");

/** Files of running processes: pids, logs, sockets. */
export const runDir: string = join(homeDir, "run");
