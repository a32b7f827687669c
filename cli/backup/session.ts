import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import type { KubeConfig } from "@kubernetes/client-node";
import { startSession } from "./database.ts";
import type { Container } from "./exec.ts";

/** A client of the database that runs in its container. */
export interface Session {
  /** Sends statements; an error in one shows at the next query or the end. */
  send(sql: string | Buffer): Promise<void>;
  /** The rows of a query, columns separated by tabs. @throws Error with what the database said */
  query(sql: string): Promise<string[]>;
  /** Sends the last statements and waits for the client's end. */
  finish(sql: string): Promise<void>;
  /** Breaks off: what was not committed is rolled back. */
  close(): void;
}

/** Opens a session on Trillian's database. The first error in it ends it. */
export async function openSession(config: KubeConfig, database: Container): Promise<Session> {
  const running = await startSession(config, database);
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  const send = (sql: string | Buffer) => running.write(sql);
  return {
    send,
    query: async (sql) => {
      const mark = randomUUID();
      await send(`${sql};\nSELECT '${mark}';\n`);
      const rows: string[] = [];
      for (;;) {
        const next = await lines.next();
        if (next.done === true) {
          await running.ended;
          throw new Error("the database's client ended before it had answered");
        }
        if (next.value === mark) return rows;
        rows.push(next.value);
      }
    },
    // The client reads "exit" as its end: not every API server hands on that the input has ended.
    finish: async (sql) => {
      await send(`${sql}\nexit\n`);
      await running.ended;
    },
    close: () => running.close(),
  };
}
