// A small Debian with the servers that no Go module offers, by mmdebstrap: no image registry and
// no container engine needed.
import { join } from "node:path";
import { LocalError } from "../errors.ts";
import { cacheDir } from "../paths.ts";
import type { Report } from "../report.ts";
import { run } from "../tools/run.ts";
import { ensureStored, keyOf } from "../tools/store.ts";

const suite = "bookworm";

/** The "core" packages hold the database's programs without its service and Perl clients. */
const packages = [
  "mariadb-server-core",
  "mariadb-client-core",
  "redis-server",
  "nginx",
  "curl",
  "netcat-openbsd",
];

/** Reading matter that no container needs. */
const excluded = ["doc", "man", "locale", "info"].map((folder) => `/usr/share/${folder}/*`);

/** The user that the database steps down to; the package of the full server would make it. */
const addUser =
  'chroot "$1" useradd --system --user-group --uid 999 --home-dir /var/lib/mysql --shell /usr/sbin/nologin mysql';

const args = [
  "--mode=root",
  "--variant=essential",
  `--include=${packages.join(",")}`,
  ...excluded.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
  // Device files belong to the container runtime.
  "--skip=output/dev",
  `--customize-hook=${addUser}`,
  suite,
];

/** Times in the tar are at most this one (reproducible-builds.org, SOURCE_DATE_EPOCH). */
const env = { SOURCE_DATE_EPOCH: "1700000000" };

/** Where the root filesystem lies, by what goes into it. */
export const rootfsDirectory = join(cacheDir, "rootfs", `${suite}-${keyOf(args, env)}`);

async function build(draft: string, report: Report): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new LocalError(
      "The image of database, Redis and nginx: only root can make it. Run the same command as root.",
    );
  }
  const started = Date.now();
  report("database, Redis, nginx: fetching Debian packages");
  await run("mmdebstrap", [...args, join(draft, "rootfs.tar")], {
    what: "The image of database, Redis and nginx",
    env,
    whenMissing: 'Run "apt-get install mmdebstrap"',
  });
  report(`database, Redis, nginx: made in ${Math.round((Date.now() - started) / 1000)} s`);
}

/**
 * Makes sure that the root filesystem is in the cache.
 * @returns the path of its tar file
 * @throws LocalError naming the cause and the remedy
 */
export async function ensureRootfs(report: Report): Promise<string> {
  await ensureStored(
    rootfsDirectory,
    "The image of database, Redis and nginx",
    (draft) => build(draft, report),
    report,
  );
  return join(rootfsDirectory, "rootfs.tar");
}
