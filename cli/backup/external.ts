import * as z from "zod";
import { clusterSchema } from "../../infra/trust/stamps.ts";
import { CannotRun } from "../errors.ts";
import { askPulumi, stackFlag } from "../pulumi.ts";
import { stashesOf, type State } from "../state.ts";

const where = "See docs/databases.md, Backup.";

/**
 * Half a backup would pass for a whole one.
 * @throws CannotRun when the stack's logs are in a database that is not its own
 */
export function assertOwnDatabase(state: State): void {
  if (clusterSchema.safeParse(stashesOf(state)["cluster"]).data?.database !== "external") return;
  throw new CannotRun(
    "The logs of this stack are in an external database, which is backed up where it runs; nothing " +
      "was written. In this order, so that the copy of the database has all that the state speaks " +
      "of: pulumi stack export --file FILE, then a dump or snapshot of the database. " +
      where,
  );
}

const configuration = z.record(z.string(), z.looseObject({ value: z.string().optional() }));

/**
 * A dump is loaded into the stack's own database: one that somebody else runs may be anybody's.
 * @throws CannotRun when the stack that is restored to is configured with an external database
 */
export async function assertRestorable(stack: string | undefined): Promise<void> {
  const text = await askPulumi(["config", "--json", ...stackFlag(stack)]);
  const database = configuration.parse(JSON.parse(text))["anchorhold:database"]?.value;
  if (database === undefined || !isExternal(database)) return;
  throw new CannotRun(
    "anchorhold:database of this stack is external, and a backup is restored into a database of the " +
      "stack's own; nothing was changed. Give it one: pulumi config rm anchorhold:database && pulumi " +
      `config set --path anchorhold:database.size 20Gi. ${where}`,
  );
}

function isExternal(database: string): boolean {
  try {
    return "external" in (JSON.parse(database) as object);
  } catch {
    return false; // the update says what is wrong with it
  }
}
