import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { externalOf, type ExternalDatabase } from "../../infra/config/database.ts";
import { assertUsable } from "../../infra/preflight/database.ts";
import { askDatabase, type LogMark } from "../../infra/observe/database.ts";
import { configWith } from "../support/config.ts";
import { freePort, MariaDb, trillianSchema, whySkipped } from "../support/mariadb.ts";

// What the preview says of an external database, asked of a real MariaDB.
const password = "Xk3!%/@:?q";
const grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON trillian.* TO 'trillian'@'%'";

let database: MariaDb;
let schema: string;

beforeAll(async () => {
  [database, schema] = await Promise.all([MariaDb.start(), trillianSchema()]);
});
afterAll(() => database.close());

/** An empty database, and a user without rights. */
beforeEach(async () => {
  await database.administer(
    "DROP DATABASE IF EXISTS trillian; CREATE DATABASE trillian; " +
      `CREATE OR REPLACE USER 'trillian'@'%' IDENTIFIED BY '${password}'`,
  );
});

const withSchema = () => database.administer(`USE trillian; ${schema}`);
const usable = async () => {
  await withSchema();
  await database.administer(grant);
};

function configured(changes: Record<string, unknown> = {}): ExternalDatabase {
  const external = { host: "localhost", port: database.port, user: "trillian", ...changes };
  return externalOf(configWith({ database: { external } }).database)!;
}

interface Asked {
  changes?: Record<string, unknown>;
  with?: string;
  address?: { host: string; port: number };
  marks?: LogMark[];
  timeoutMs?: number;
}

/** What a preview says; nothing if the database can be used. */
async function refusal({ changes, marks = [], ...asked }: Asked = {}): Promise<string> {
  const target = configured(changes);
  const address = asked.address ?? { host: "127.0.0.1", port: target.port };
  const question = { ...target, address, marks };
  const view = await askDatabase(question, asked.with ?? password, asked.timeoutMs);
  try {
    assertUsable(target, view);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe.skipIf(whySkipped !== "")(`an external database${whySkipped}`, () => {
  test("with Trillian's tables and four rights on them can be used", async () => {
    await usable();
    expect(await refusal()).toBe("");
  });

  test("made with the SQL of docs/databases.md can be used", async () => {
    const docs = readFileSync(new URL("../../docs/databases.md", import.meta.url), "utf8");
    const sql = /^```sql\n([^]*?)^```$/m.exec(docs)![1]!.replace("a long password", password);
    await database.administer(`DROP DATABASE trillian; DROP USER 'trillian'@'%'; ${sql}`);
    await withSchema();
    expect(await refusal({ changes: { tls: { ca: database.ca } } })).toBe("");
  });

  test("is left as it was", async () => {
    await usable();
    const tree =
      "1, 'ACTIVE', 'LOG', 'RFC6962_SHA256', 'SHA256', 'ECDSA', 'a', 'b', 1, 1, 1, '', ''";
    await database.administer(`INSERT INTO trillian.Trees VALUES (${tree}, FALSE, NULL)`);
    const before = await database.rows("SELECT * FROM trillian.Trees");
    expect(before).toHaveLength(1);
    expect(await refusal()).toBe("");
    expect(await database.rows("SELECT * FROM trillian.Trees")).toEqual(before);
  });

  test("that nobody can reach is refused with how to reach it", async () => {
    const said = await refusal({ address: { host: "127.0.0.1", port: await freePort() } });
    expect(said).toContain("cannot be reached from here (connect ECONNREFUSED");
    expect(said).toContain("anchorhold:database.external.access: { address: HOST:PORT }");
    expect(said).toContain(`mysql --host=localhost --port=${database.port} --user=trillian`);
  });

  test("that takes connections and says nothing is given up in time", async () => {
    const mute = await listening(createServer());
    const address = { host: "127.0.0.1", port: (mute.address() as AddressInfo).port };
    const started = performance.now();
    expect(await refusal({ address, timeoutMs: 500 })).toContain("no answer within 0.5 s");
    expect(performance.now() - started).toBeLessThan(3000);
    mute.close();
  });

  test("with another password is refused, and neither password is shown", async () => {
    await usable();
    const said = await refusal({ with: "another-one" });
    expect(said).toContain("it does not let trillian in");
    expect(said).toContain("pulumi config set --secret anchorhold:databasePassword");
    expect(said).not.toMatch(/another-one|Xk3/);
  });

  test("of another name, or without any right, is refused with the SQL that mends it", async () => {
    for (const changes of [{}, { name: "other" }]) {
      const { name } = configured(changes);
      const said = await refusal({ changes });
      expect(said).toContain(`there is no database ${name}, or trillian has no rights on it`);
      expect(said).toContain(
        `GRANT SELECT, INSERT, UPDATE, DELETE ON \`${name}\`.* TO 'trillian'@'%';`,
      );
    }
  });

  test("without the schema is refused with where it is", async () => {
    await database.administer(grant);
    const said = await refusal();
    expect(said).toContain("it lacks Trillian's tables Trees, TreeControl, Subtree");
    expect(said).toContain("trillian/blob/v1.7.3/storage/mysql/schema/storage.sql");
  });

  test("with one table too few is refused by its name", async () => {
    await usable();
    await database.administer("DROP TABLE trillian.Unsequenced");
    expect(await refusal()).toContain("it lacks Trillian's table Unsequenced, or");
  });

  test.each(["SELECT", "INSERT", "UPDATE", "DELETE"])(
    "without the right to %s is refused by its name, and the SQL it prints mends it",
    async (right) => {
      await usable();
      await database.administer(`REVOKE ${right} ON trillian.* FROM 'trillian'@'%'`);
      const said = await refusal();
      expect(said).toContain(`trillian has no right to ${right} on Trees, TreeControl, Subtree`);
      await database.administer(/GRANT .*;/.exec(said)![0]);
      expect(await refusal()).toBe("");
    },
  );

  test("that is a replica is refused", async () => {
    await usable();
    await database.administer("SET GLOBAL read_only = ON");
    const said = await refusal().finally(() => database.administer("SET GLOBAL read_only = OFF"));
    expect(said).toContain("it takes no writes");
    expect(said).toContain("not a replica");
  });

  test("that has not the logs as far as they are recorded is refused", async () => {
    await usable();
    const tree =
      "7, 'ACTIVE', 'LOG', 'RFC6962_SHA256', 'SHA256', 'ECDSA', 'a', 'b', 1, 1, 1, '', ''";
    await database.administer(`INSERT INTO trillian.Trees VALUES (${tree}, FALSE, NULL)`);
    const [older, newer] = ["aa", "bb"].map((byte) => byte.repeat(32));
    await database.administer(`INSERT INTO trillian.TreeHead VALUES (7, 1, 3, X'${older}', '', 1)`);
    const mark = (at: LogMark["at"], treeId = "7"): LogMark => ({ name: "rekor-1", treeId, at });
    for (const at of [undefined, { size: 0, rootHash: newer! }, { size: 3, rootHash: older! }])
      expect(await refusal({ marks: [mark(at)] })).toBe("");
    for (const marks of [
      [mark(undefined, "8713049210368475113")],
      [mark({ size: 3, rootHash: newer! })],
      [mark({ size: 4, rootHash: older! })],
    ])
      expect(await refusal({ marks })).toContain("the logs rekor-1 of this stack");
  });
});

describe.skipIf(whySkipped !== "")(`TLS to an external database${whySkipped}`, () => {
  beforeEach(async () => {
    await usable();
    await database.administer("ALTER USER 'trillian'@'%' REQUIRE SSL");
  });

  test("is made where it is configured, and the user may demand it", async () => {
    expect(await refusal({ changes: { tls: { ca: database.ca } } })).toBe("");
    expect(await refusal()).toContain("it does not let trillian in");
  });

  test("holds the certificate against the name, through a tunnel too", async () => {
    const tls = { ca: database.ca };
    const elsewhere = { host: "mysql.corp.test", tls };
    expect(await refusal({ changes: elsewhere })).toMatch(
      /no TLS connection could be made .*mysql\.corp\.test.*openssl s_client -starttls mysql/s,
    );
    const named = { host: "10.1.2.3", tls: { ...tls, serverName: "localhost" } };
    expect(await refusal({ changes: named })).toBe("");
  });

  test("trusts no authority but the one that is named", async () => {
    const said = await refusal({ changes: { tls: { ca: "system" } } });
    expect(said).toContain("no TLS connection could be made (self-signed certificate");
  });
});

async function listening(server: Server): Promise<Server> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
