import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Runs the machine's `openssl`, an X.509 reader that is not ours, with files in a folder of
 * their own. Arguments name the files as they are keyed here.
 */
export function openssl(args: string[], files: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "anchorhold-openssl-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const run = spawnSync("openssl", args, { cwd: folder, encoding: "utf8" });
    if (run.error) {
      throw new Error(
        `these tests read our certificates and keys with the openssl program, which did not run ` +
          `(${run.error.message}): install it, on Debian with apt-get install openssl`,
      );
    }
    return { status: run.status, output: run.stdout + run.stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
