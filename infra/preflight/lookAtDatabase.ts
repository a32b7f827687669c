import * as pulumi from "@pulumi/pulumi";
import { externalOf, type Database, type ExternalDatabase } from "../config/database.ts";
import type { Secrets } from "../config/secrets.ts";
import { assertSameDatabase, assertUsable } from "./database.ts";
import { askDatabase, type LogMark } from "../observe/database.ts";
import { lastCheckpoints } from "./stack.ts";
import type { Memory } from "../trust/memory.ts";
import { knownValue } from "../trust/recall.ts";

/**
 * Looks at the database of the logs before anything is registered, in previews too.
 * @returns what the record of the stack's whereabouts says of it
 * @throws UserError when the logs could not go on in it
 */
export async function lookAtDatabase(
  memory: Memory,
  database: Database,
  { databasePassword }: Secrets,
): Promise<{ database?: "external" }> {
  assertSameDatabase(memory, database);
  const external = externalOf(database);
  if (external === undefined) return {};
  if (external.access === "none")
    await pulumi.log.warn(
      `The external database ${external.name} at ${external.host}:${external.port} was not asked ` +
        "whether it can be used: anchorhold:database.external.access is none.",
    );
  else await check(external, databasePassword, marksOf(memory));
  return { database: "external" };
}

async function check(
  external: ExternalDatabase,
  password: Secrets["databasePassword"],
  marks: readonly LogMark[],
): Promise<void> {
  const text = password && (await knownValue(password));
  if (text === undefined) throw new Error("the database's password is not known");
  const question = { ...external, address: addressOf(external), marks };
  assertUsable(external, await askDatabase(question, text));
}

function addressOf({ host, port, access }: ExternalDatabase): { host: string; port: number } {
  if (typeof access !== "object") return { host, port };
  const [name = "", number = ""] = access.address.split(":");
  return { host: name, port: Number(number) };
}

/** Every log of this stack that still has entries to serve. */
function marksOf(memory: Memory): LogMark[] {
  const recorded = lastCheckpoints(memory);
  return (["ctLog", "rekor"] as const).flatMap((kind) =>
    Object.entries(memory.kinds[kind].records).map(([number, { treeId }]): LogMark => {
      const name = `${kind === "ctLog" ? "ctlog" : "rekor"}-${number}`;
      return { name, treeId, at: recorded[name] };
    }),
  );
}
