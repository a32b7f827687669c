// Small Debians for what no Go module offers, by mmdebstrap: no image registry and no container
// engine needed.
import { join } from "node:path";
import { LocalError } from "../errors.ts";
import { cacheDir } from "../paths.ts";
import type { Report } from "../report.ts";
import { run } from "../tools/run.ts";
import { ensureStored, keyOf } from "../tools/store.ts";

const suite = "bookworm";

/** The "core" packages hold the database's programs without its service. */
const servers = [
  "mariadb-server-core",
  "mariadb-client-core",
  "mariadb-client", // for mariadb-dump, as the mysql image has mysqldump
  "redis-server",
  "nginx",
  "curl",
  "netcat-openbsd",
];

/** Reading matter that no container needs. */
const excluded = ["doc", "man", "locale", "info"].map((folder) => `/usr/share/${folder}/*`);

/** Programs of mariadb-client, 45 MB, that the database does not need. */
const unusedClients = [
  ...[
    "admin",
    "binlog",
    "conv",
    "import",
    "plugin",
    "show",
    "slap",
    "tzinfo-to-sql",
    "waitpid",
  ].map((program) => `mariadb-${program}`),
  ...["perror", "replace", "resolve_stack_dump"],
];

/** The user that the database steps down to; the package of the full server would make it. */
const addUser =
  'chroot "$1" useradd --system --user-group --uid 999 --home-dir /var/lib/mysql --shell /usr/sbin/nologin mysql';

interface Rootfs {
  /** For messages. */
  what: string;
  /** mmdebstrap's, but for the place of the result. */
  args: readonly string[];
}

const common = [
  ...excluded.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
  // Device files belong to the container runtime.
  "--skip=output/dev",
];

const services: Rootfs = {
  what: "database, Redis and nginx",
  args: [
    ...["--mode=root", "--variant=essential", `--include=${servers.join(",")}`],
    ...common,
    ...unusedClients.map((program) => `--dpkgopt=path-exclude=/usr/bin/${program}`),
    `--customize-hook=${addUser}`,
    suite,
  ],
};

/** The libraries that Node.js wants and nothing else: no shell, no package manager. */
const node: Rootfs = {
  what: "Node.js",
  args: ["--mode=root", "--variant=extract", "--include=libstdc++6", ...common, suite],
};

export const rootfs = { services, node } as const;

/** Times in the tar are at most this one (reproducible-builds.org, SOURCE_DATE_EPOCH). */
const env = { SOURCE_DATE_EPOCH: "1700000000" };

/** Where a root filesystem lies, by what goes into it. */
export function rootfsDirectory({ args }: Rootfs): string {
  return join(cacheDir, "rootfs", `${suite}-${keyOf(args, env)}`);
}

async function build({ what, args }: Rootfs, draft: string, report: Report): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new LocalError(
      `The image of ${what}: only root can make it. Run the same command as root.`,
    );
  }
  const started = Date.now();
  report(`${what}: fetching Debian packages`);
  await run("mmdebstrap", [...args, join(draft, "rootfs.tar")], {
    what: `The image of ${what}`,
    env,
    whenMissing: 'Run "apt-get install mmdebstrap"',
  });
  report(`${what}: made in ${Math.round((Date.now() - started) / 1000)} s`);
}

/**
 * Makes sure that a root filesystem is in the cache.
 * @returns the path of its tar file
 * @throws LocalError naming the cause and the remedy
 */
export async function ensureRootfs(wanted: Rootfs, report: Report): Promise<string> {
  const directory = rootfsDirectory(wanted);
  await ensureStored(
    directory,
    `The image of ${wanted.what}`,
    (draft) => build(wanted, draft, report),
    report,
  );
  return join(directory, "rootfs.tar");
}
