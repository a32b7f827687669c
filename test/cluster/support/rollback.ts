import { buffer } from "node:stream/consumers";
import type { KubeConfig } from "@kubernetes/client-node";
import { findDatabase, startDump } from "../../../cli/backup/database.ts";
import { openSession } from "../../../cli/backup/session.ts";

async function databaseOf(config: KubeConfig, prefix: string) {
  const database = await findDatabase(config, prefix);
  if (database === undefined) throw new Error("no database is ready");
  return database;
}

/** The rows of Trillian's database, as `anchorhold backup` takes them. */
export async function dumpOf(config: KubeConfig, prefix: string): Promise<Buffer> {
  const running = await startDump(config, await databaseOf(config, prefix));
  const [rows] = await Promise.all([buffer(running.stdout), running.ended]);
  return rows;
}

/** What nobody does on purpose: the rows of a dump in place of all that is there. */
export async function loadInstead(config: KubeConfig, prefix: string, dump: Buffer): Promise<void> {
  const session = await openSession(config, await databaseOf(config, prefix));
  const tables = await session.query("SHOW TABLES");
  await session.send("SET FOREIGN_KEY_CHECKS = 0;\nSTART TRANSACTION;\n");
  for (const table of tables) await session.send(`DELETE FROM \`${table}\`;\n`);
  await session.send(dump);
  await session.finish("\nCOMMIT;");
}
