import type { KubeConfig } from "@kubernetes/client-node";
import { findReplicas, type Replica } from "../../infra/observe/service.ts";
import { componentNamespace, trillianNames, trillianPorts } from "../../infra/scaffold/names.ts";
import { CannotRun } from "../errors.ts";
import { startScript, type Container, type Running } from "./exec.ts";

/**
 * Runs a client of MySQL or MariaDB, whichever the image has, on the server of the same container.
 * The password comes from the container's environment and goes into the client's alone.
 */
const client = (names: readonly string[], flags: readonly string[]): string =>
  [
    `program=$(${names.map((name) => `command -v ${name}`).join(" || ")}) ||`,
    `{ echo "the image has none of: ${names.join(", ")}" >&2; exit 127; };`,
    'MYSQL_PWD="$MYSQL_PASSWORD" exec "$program" --host=127.0.0.1 --protocol=tcp',
    `--user="$MYSQL_USER" ${flags.join(" ")} "$MYSQL_DATABASE"`,
  ].join(" ");

/**
 * The rows of every table in one consistent snapshot, without the schema, which the image brings:
 * plain INSERTs, no statement that would commit, so that all can be loaded in one transaction.
 */
const dump = client(
  ["mariadb-dump", "mysqldump"],
  [
    ...["--single-transaction", "--quick", "--no-create-info", "--complete-insert", "--hex-blob"],
    ...["--skip-triggers", "--skip-add-locks", "--skip-disable-keys", "--skip-comments"],
    ...["--no-tablespaces", "--max-allowed-packet=512M"],
  ],
);

/** Reads statements, prints one line a row, and stops at the first error. */
const load = client(
  ["mariadb", "mysql"],
  ["--batch", "--skip-column-names", "--unbuffered", "--max-allowed-packet=512M"],
);

/** The pod of Trillian's database; undefined while none is ready. */
export async function findDatabase(
  config: KubeConfig,
  prefix: string,
): Promise<Container | undefined> {
  const namespace = componentNamespace(prefix, "trillian");
  const service = trillianNames.database;
  const replicas = await findReplicas(config, { namespace, service, port: trillianPorts.database });
  const serving = replicas.find((replica) => replica.serving);
  return serving && containerOf(serving);
}

function containerOf({ namespace, pod, port, spec }: Replica): Container {
  const containers = spec.spec?.containers ?? [];
  const found = containers.find(({ ports = [] }) =>
    ports.some(({ containerPort }) => containerPort === port),
  );
  const [container = found] = containers.length === 1 ? containers : [];
  if (container === undefined)
    throw new CannotRun(`Pod ${namespace}/${pod} has no container with port ${port}.`);
  return { namespace, pod, container: container.name };
}

/** Dumps the database; `stdout` is the dump, complete when `ended` resolves. */
export const startDump = (config: KubeConfig, database: Container): Promise<Running> =>
  startScript(config, database, dump);

/** Opens a session on the database that takes SQL. */
export const startSession = (config: KubeConfig, database: Container): Promise<Running> =>
  startScript(config, database, load);
