import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { databaseFlags } from "../../infra/platform/databaseFlags.ts";
import { ensureProgram } from "../../local/tools/gobuild.ts";
import { services } from "../../local/tools/programs.ts";
import { freePort, MariaDb, trillianSchema, whySkipped } from "../support/mariadb.ts";

// The real Trillian log server with the flags that its Secret has, on a real MariaDB.
const password = "Xk3!#%&()*+,-./:;<=>?@[]^_`{|}~";

let database: MariaDb;
let folder: string;
let program: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "anchorhold-trillian-"));
  const build = ensureProgram(services["trillian-log-server"], () => undefined);
  const [started, schema, built] = await Promise.all([MariaDb.start(), trillianSchema(), build]);
  [database, program] = [started, built];
  writeFileSync(join(folder, "ca.pem"), database.ca);
  await database.administer(`CREATE DATABASE trillian; USE trillian; ${schema}`);
  for (const [user, demand] of Object.entries({ plain: "", safe: "REQUIRE SSL" }))
    await database.administer(
      `CREATE USER '${user}'@'%' IDENTIFIED BY '${password}' ${demand}; ` +
        `GRANT SELECT, INSERT, UPDATE, DELETE ON trillian.* TO '${user}'@'%'`,
    );
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

const flagsFor = (user: string, ca?: string) =>
  databaseFlags(
    {
      ...{ host: "localhost", port: database.port, name: "trillian", user },
      ...(ca === undefined ? {} : { tls: { ca } }),
    },
    password,
  ).replace("/etc/trillian/", `${folder}/`);

/**
 * What the server says of its health, which is its database's too; its last words if it ends.
 * @param meanwhile asked before the server is ended, with the address that its health is at
 */
async function serve(
  flags: string,
  env: Record<string, string> = {},
  meanwhile: (health: string) => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const [rpc, http] = [await freePort(), await freePort()];
  writeFileSync(join(folder, "flags"), flags, { mode: 0o600 });
  const args = [
    ...["--storage_system=mysql", "--quota_system=mysql", "--alsologtostderr"],
    ...[`--rpc_endpoint=127.0.0.1:${rpc}`, `--http_endpoint=127.0.0.1:${http}`],
    `--config=${join(folder, "flags")}`,
  ];
  const server = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  server.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  try {
    for (let left = 100; left > 0 && server.exitCode === null; left -= 1) {
      const health = `http://127.0.0.1:${http}/healthz`;
      const answer = await fetch(health).catch(() => undefined);
      if (answer === undefined) await sleep(100);
      else {
        await meanwhile(health);
        return `${answer.status} ${(await answer.text()).trim()}`;
      }
    }
    return said;
  } finally {
    server.kill("SIGKILL");
  }
}

describe.skipIf(whySkipped !== "")(`Trillian's log server${whySkipped}`, () => {
  test("serves with a password of every character that is allowed", async () => {
    expect(await serve(flagsFor("plain"))).toBe("200 ok");
  });

  test("serves with TLS by an authority of one's own", async () => {
    expect(await serve(flagsFor("safe", database.ca))).toBe("200 ok");
  });

  test("serves with TLS by the system's authorities", async () => {
    // Go reads the system's authorities from there.
    const env = { SSL_CERT_FILE: join(folder, "ca.pem") };
    expect(await serve(flagsFor("safe", "system"), env)).toBe("200 ok");
  });

  test("trusts no other authority, and shows no password", async () => {
    const said = await serve(flagsFor("safe", "system"));
    expect(said).toContain("certificate signed by unknown authority");
    expect(said).not.toContain(password);
  });

  test("keeps its connections: a burst takes those of the burst before", async () => {
    const flags = flagsFor("plain");
    const opened = async (given: string) => {
      let count = 0;
      await serve(given, {}, async (health) => {
        const before = await database.connections();
        for (let left = 20; left > 0; left -= 1)
          await Promise.all(Array.from({ length: 8 }, async () => (await fetch(health)).text()));
        count = (await database.connections()) - before;
      });
      return count;
    };
    const [kept, byDefault] = [
      await opened(flags),
      await opened(flags.replace(/--mysql_max_idle_conns=.*\n/, "")),
    ];
    expect(kept).toBeLessThan(12);
    expect(byDefault).toBeGreaterThan(3 * kept);
  });

  test("does not start with the chart's parameters beside an authority: why there are none", async () => {
    const flags = flagsFor("safe", database.ca);
    const said = await serve(flags.replace("/trillian\n", "/trillian?parseTime=true\n"));
    expect(said).toContain("invalid bool value: true?tls=custom");
  });
});
