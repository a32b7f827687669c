import type { Database, ExternalDatabase } from "../config/database.ts";
import { externalOf } from "../config/database.ts";
import { UserError } from "../errors.ts";
import { rights, type DatabaseView } from "../observe/database.ts";
import type { Memory } from "../trust/memory.ts";

/**
 * Logs cannot change their database by an edit: the new one would begin them anew under their keys.
 * @throws UserError when the configuration names another sort of database than the stack lives with
 */
export function assertSameDatabase({ cluster }: Memory, database: Database): void {
  if (cluster === undefined) return;
  const [was, is] = [cluster.database === "external", externalOf(database) !== undefined];
  if (was === is) return;
  throw new UserError(
    `anchorhold:database names ${is ? "an external database" : "a database of the stack's own"}, but ` +
      `the logs of this stack are in ${was ? "an external one" : "its own"}; nothing was changed. They ` +
      "would begin anew under keys that have signed already. Set anchorhold:database back to what it " +
      "was. To move on: deploy a second stack with the other database, let it sign, and keep this one " +
      "for what it has signed: docs/databases.md, Moving.",
  );
}

/** A problem with the external database: what, and the commands that mend it. */
interface Problem {
  what: string;
  mend: readonly string[];
}

/** @throws UserError when Trillian's servers could not work with what was found */
export function assertUsable(target: ExternalDatabase, view: DatabaseView): void {
  const problem = problemOf(target, view);
  if (problem === undefined) return;
  const { host, port, name } = target;
  throw new UserError(
    `The external database ${name} at ${host}:${port} cannot be used, so nothing was changed: ` +
      `${problem.what}\n${problem.mend.map((line) => `  ${line}`).join("\n")}`,
  );
}

function problemOf(target: ExternalDatabase, view: DatabaseView): Problem | undefined {
  if (view.found === "nothing") return nothingFound(target, view.why, view.said);
  if (view.found === "readOnly")
    return {
      what: `it takes no writes (${view.said}). Name the primary in anchorhold:database.external.host, not a replica, or on the server:`,
      mend: ["SET GLOBAL read_only = OFF;"],
    };
  const { missingTables, missingRights, missingLogs } = view;
  if (missingTables.length > 0) return noSchema(target, missingTables);
  if (missingRights.length > 0) return noRights(target, missingRights);
  if (missingLogs.length > 0)
    return {
      what:
        `it has not, or not as far as they are recorded, the logs ${missingLogs.join(", ")} of this ` +
        "stack. It is another database or an old copy; a log that signed on from it would have two " +
        "histories. Name the right one in anchorhold:database.external, or restore it from a newer dump:",
      mend: ["docs/databases.md, Backup"],
    };
  return undefined;
}

type Why = Extract<DatabaseView, { found: "nothing" }>["why"];

function nothingFound(target: ExternalDatabase, why: Why, said: string): Problem {
  const { name, user } = target;
  switch (why) {
    case "address":
      return {
        what:
          `it cannot be reached from here (${said}). If only the cluster can reach it, open a tunnel ` +
          "and name its near end in anchorhold:database.external.access: { address: HOST:PORT }, or set " +
          "access: none, and nothing is checked. What must answer:",
        mend: [clientFor(target)],
      };
    case "tls":
      return {
        what:
          `no TLS connection could be made (${said}). Give the CA of its certificate in ` +
          "anchorhold:database.external.tls.ca, and the name in it in tls.serverName. What it shows:",
        mend: [`openssl s_client -starttls mysql -connect ${addressOf(target)} -showcerts`],
      };
    case "login":
      return {
        what: `it does not let ${user} in (${said}). Set the password that it knows:`,
        mend: [
          "pulumi config set --secret anchorhold:databasePassword",
          `or in the database: ALTER USER '${user}'@'%' IDENTIFIED BY '…';`,
        ],
      };
    case "database":
      return {
        what: `there is no database ${name}, or ${user} has no rights on it (${said}). As its administrator:`,
        mend: [`CREATE DATABASE IF NOT EXISTS \`${name}\`;`, grantFor(target)],
      };
  }
}

const schemaUrl = "https://github.com/google/trillian/blob/v1.7.3/storage/mysql/schema/storage.sql";

function noSchema(target: ExternalDatabase, missing: readonly string[]): Problem {
  return {
    what:
      `it lacks Trillian's ${missing.length === 1 ? "table" : "tables"} ${missing.join(", ")}, or ` +
      `${target.user} may not see them. As its administrator, with storage.sql from ${schemaUrl}:`,
    mend: [`${clientFor(target, "ADMINISTRATOR")} < storage.sql`, grantFor(target)],
  };
}

function noRights(
  target: ExternalDatabase,
  missing: readonly { table: string; rights: readonly string[] }[],
): Problem {
  const tables = new Map<string, string[]>();
  for (const { table, rights: denied } of missing) {
    const key = denied.join(", ");
    tables.set(key, [...(tables.get(key) ?? []), table]);
  }
  const list = [...tables].map(([denied, on]) => `${denied} on ${on.join(", ")}`).join("; ");
  return {
    what: `${target.user} has no right to ${list}. As its administrator:`,
    mend: [grantFor(target)],
  };
}

const grantFor = ({ name, user }: ExternalDatabase) =>
  `GRANT ${rights.join(", ")} ON \`${name}\`.* TO '${user}'@'%';`;

function addressOf({ host, port, access }: ExternalDatabase): string {
  return typeof access === "object" ? access.address : `${host}:${port}`;
}

function clientFor(target: ExternalDatabase, user = target.user): string {
  const [host, port] = addressOf(target).split(":");
  return `mysql --host=${host} --port=${port} --user=${user} --password ${target.name}`;
}
