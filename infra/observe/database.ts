import { connect as connectTcp } from "node:net";
import type { Connection, ConnectionOptions, RowDataPacket } from "mysql2/promise";

/** Trillian's tables: storage/mysql/schema/storage.sql of v1.7.3. */
export const trillianTables = [
  "Trees",
  "TreeControl",
  "Subtree",
  "TreeHead",
  "LeafData",
  "SequencedLeafData",
  "Unsequenced",
] as const;

/** What Trillian's servers do with each of their tables. */
export const rights = ["SELECT", "INSERT", "UPDATE", "DELETE"] as const;
export type Right = (typeof rights)[number];

/** A root that a log has signed once; Trillian keeps each of them. */
export interface LogMark {
  /** The log's name, such as `rekor-1`. */
  name: string;
  /** Decimal. */
  treeId: string;
  /** The newest root that is recorded; undefined if none is. Hex. */
  at: { size: number; rootHash: string } | undefined;
}

export interface DatabaseQuestion {
  /** Where to connect to: the database itself, or the near end of a tunnel. */
  address: { host: string; port: number };
  /** Its name for its certificate. */
  host: string;
  name: string;
  user: string;
  tls?: { ca: string; serverName?: string | undefined } | undefined;
  /** The logs that this stack keeps there already. */
  marks: readonly LogMark[];
}

/** What the database said. No part of it holds the password. */
export type DatabaseView =
  | { found: "nothing"; why: "address" | "login" | "database" | "tls"; said: string }
  | { found: "readOnly"; said: string }
  | {
      found: "database";
      missingTables: string[];
      missingRights: { table: string; rights: Right[] }[];
      /** Logs of this stack that it does not have, or has not as far as they were. */
      missingLogs: string[];
    };

interface ServerError {
  code?: string;
  errno?: number;
  message?: string;
}

/** Errors of the server by number: https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html */
const noLogin = [1045, 1130, 1251, 1698, 1862, 3118, 3878];
const noDatabase = [1044, 1049];
const noRight = [1142, 1143];
const readOnly = [1290, 1792, 1836];

/** Enough for any database that is fit to keep a log. */
const limitMs = 10_000;

/**
 * Asks a database what Trillian's servers will need of it. Nothing is changed: what tries the rights
 * matches no row and is rolled back. It takes ten seconds at most.
 */
export async function askDatabase(
  question: DatabaseQuestion,
  password: string,
  timeoutMs = limitMs,
): Promise<DatabaseView> {
  // Loaded here: only stacks with an external database need it.
  const { createConnection } = await import("mysql2/promise");
  let connection: Connection | undefined;
  const gone = new AbortController();
  const opening = createConnection(optionsFor(question, password, gone.signal));
  const view = opening.then((open) => ask((connection = open), question)).catch(viewOfError);
  const timer = deadline(timeoutMs);
  try {
    return await Promise.race([view, timer.passed]);
  } finally {
    timer.clear();
    gone.abort();
    connection?.destroy();
  }
}

function deadline(ms: number): { passed: Promise<DatabaseView>; clear: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<DatabaseView>((resolve) => {
    const said = `no answer within ${ms / 1000} s`;
    timer = setTimeout(() => resolve({ found: "nothing", why: "address", said }), ms);
  });
  return { passed, clear: () => clearTimeout(timer) };
}

function optionsFor(
  { address, host, name, user, tls }: DatabaseQuestion,
  password: string,
  signal: AbortSignal,
): ConnectionOptions {
  return {
    // The name that the certificate is held against; the stream leads to the address.
    host: tls?.serverName ?? host,
    stream: () => connectTcp({ ...address, signal }),
    user,
    password,
    database: name,
    connectTimeout: 0, // the deadline counts for all
    ...(tls === undefined
      ? {}
      : { ssl: { verifyIdentity: true, ...(tls.ca === "system" ? {} : { ca: tls.ca }) } }),
  };
}

function viewOfError(error: ServerError): DatabaseView {
  const { code = "", errno = 0 } = error;
  const said = `${error.message ?? code}`.replaceAll(/\s+/g, " ");
  if (noLogin.includes(errno)) return { found: "nothing", why: "login", said };
  if (noDatabase.includes(errno)) return { found: "nothing", why: "database", said };
  const isTls = /SSL|CERT|TLS|SELF_SIGNED|ISSUER/.test(code);
  return { found: "nothing", why: isTls ? "tls" : "address", said };
}

async function ask(connection: Connection, question: DatabaseQuestion): Promise<DatabaseView> {
  const missingTables = await tablesMissing(connection, question.name);
  if (missingTables.length > 0)
    return { found: "database", missingTables, missingRights: [], missingLogs: [] };
  const missingRights: { table: string; rights: Right[] }[] = [];
  for (const table of trillianTables) {
    const denied = await deniedRights(connection, table);
    if ("said" in denied) return { found: "readOnly", said: denied.said };
    if (denied.rights.length > 0) missingRights.push({ table, ...denied });
  }
  if (missingRights.length > 0)
    return { found: "database", missingTables, missingRights, missingLogs: [] };
  const missingLogs = await logsMissing(connection, question.marks);
  return { found: "database", missingTables, missingRights, missingLogs };
}

async function tablesMissing(connection: Connection, name: string): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ?",
    [name],
  );
  // Some servers keep all names in lower case (lower_case_table_names).
  const present = new Set(rows.map((row) => String(row["name"]).toLowerCase()));
  return trillianTables.filter((table) => !present.has(table.toLowerCase()));
}

/** Statements that need a right and match no row. */
const tries: Readonly<Record<Right, (table: string) => string>> = {
  SELECT: (table) => `SELECT 1 FROM ${table} WHERE FALSE`,
  INSERT: (table) => `INSERT INTO ${table} SELECT * FROM ${table} WHERE FALSE`,
  UPDATE: (table) => `UPDATE ${table} SET TreeId = TreeId WHERE FALSE`,
  DELETE: (table) => `DELETE FROM ${table} WHERE FALSE`,
};

/** The rights that are missing, or that the server takes no writes at all: it may be a replica. */
async function deniedRights(
  connection: Connection,
  table: string,
): Promise<{ rights: Right[] } | { said: string }> {
  const denied: Right[] = [];
  await connection.query("START TRANSACTION");
  try {
    for (const right of rights) {
      if (denied.includes("SELECT")) break; // without it the others fail for its sake
      try {
        await connection.query(tries[right](`\`${table}\``));
      } catch (error) {
        const { errno = 0, message = "" } = error as ServerError;
        if (readOnly.includes(errno)) return { said: message };
        if (!noRight.includes(errno)) throw error;
        denied.push(right);
      }
    }
  } finally {
    await connection.query("ROLLBACK");
  }
  return { rights: denied };
}

async function logsMissing(connection: Connection, marks: readonly LogMark[]): Promise<string[]> {
  const missing: string[] = [];
  for (const { name, treeId, at } of marks) {
    const [rows] =
      at === undefined || at.size === 0
        ? await connection.execute<RowDataPacket[]>("SELECT 1 FROM Trees WHERE TreeId = ?", [
            treeId,
          ])
        : await connection.execute<RowDataPacket[]>(
            "SELECT 1 FROM TreeHead WHERE TreeId = ? AND TreeSize = ? AND RootHash = ? LIMIT 1",
            [treeId, at.size, Buffer.from(at.rootHash, "hex")],
          );
    if (rows.length === 0) missing.push(name);
  }
  return missing;
}
