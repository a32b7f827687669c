import type { KubeConfig } from "@kubernetes/client-node";
import type { Container } from "../backup/exec.ts";
import { openSession, type Session } from "../backup/session.ts";
import { CannotRun } from "../errors.ts";

/** A root that a log has signed once. */
export interface Mark {
  /** The log's name, such as `rekor-1`. */
  name: string;
  /** Decimal. */
  treeId: string;
  size: number;
  /** Hex. */
  rootHash: string;
}

/**
 * Loads a dump into an empty database, in one transaction: until it is committed no server sees any
 * of it, and a load that breaks off leaves nothing. It is committed only if every log then has the
 * marked root (Trillian keeps each root that it has signed, in its table TreeHead).
 *
 * @returns false when the database holds these logs already
 * @throws CannotRun when the dump, or what is in the database, is not of these logs
 */
export async function loadDump(
  config: KubeConfig,
  database: Container,
  dump: AsyncIterable<Buffer>,
  marks: readonly Mark[],
): Promise<boolean> {
  const session = await openSession(config, database);
  try {
    const [trees] = await session.query("SELECT COUNT(*) FROM Trees");
    if (trees !== "0") {
      assertAll(marks, await session.query(marksQuery(marks)), "database of this stack");
      return false;
    }
    await load(session, dump);
    assertAll(marks, await session.query(marksQuery(marks)), "backup's dump");
    await session.finish("COMMIT;");
    return true;
  } finally {
    session.close();
  }
}

async function load(session: Session, dump: AsyncIterable<Buffer>): Promise<void> {
  await session.send("START TRANSACTION;\n");
  for await (const chunk of dump) await session.send(chunk);
}

/** Selects the marks that are there, each as a row like `rowOf` gives it. */
export function marksQuery(marks: readonly Mark[]): string {
  const places = marks.map(
    ({ treeId, size, rootHash }) =>
      `(TreeId = ${treeId} AND TreeSize = ${size} AND RootHash = X'${rootHash}')`,
  );
  const place = places.length === 0 ? "FALSE" : places.join(" OR ");
  return `SELECT DISTINCT TreeId, TreeSize, LOWER(HEX(RootHash)) FROM TreeHead WHERE ${place}`;
}

const rowOf = ({ treeId, size, rootHash }: Mark): string => `${treeId}\t${size}\t${rootHash}`;

/** @throws CannotRun that names each log whose mark is not among the rows */
export function assertAll(marks: readonly Mark[], rows: readonly string[], what: string): void {
  const missing = marks.filter((mark) => !rows.includes(rowOf(mark)));
  if (missing.length === 0) return;
  const logs = missing.map(
    ({ name, size, rootHash }) => `${name} (${size} entries, root ${rootHash.slice(0, 12)})`,
  );
  throw new CannotRun(
    `The ${what} has never been where these logs were recorded: ${logs.join(", ")}. To sign on from ` +
      "it would give a log two histories; nothing was loaded.",
  );
}
