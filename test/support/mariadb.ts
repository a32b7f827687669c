import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import { hasDatabase } from "../../local/images/dataServices.ts";
import { ensureRootfs, rootfs } from "../../local/images/rootfs.ts";
import { moduleSource } from "../../local/tools/gobuild.ts";
import { services } from "../../local/tools/programs.ts";

/**
 * Ends the title of a suite that is skipped where there is no such database; empty elsewhere. Where
 * a cluster is demanded, a database is too.
 */
export const whySkipped = hasDatabase()
  ? ""
  : " (skipped: no database here; as root on Debian: node local/cli.ts data-services)";
if (whySkipped !== "") {
  if (process.env["CI"] || process.env["ANCHORHOLD_REQUIRE_CLUSTER"])
    throw new Error(`the tests of databases cannot run${whySkipped}`);
  console.warn(`SKIPPED the tests of databases${whySkipped}`);
}

const host = "127.0.0.1";
const administrator = { user: "administrator", password: "only on loopback" };
const silent = () => undefined;

/** The text of Trillian's storage.sql, from its Go module. */
export async function trillianSchema(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "anchorhold-schema-"));
  try {
    const source = await moduleSource(services["trillian-log-server"], folder);
    return readFileSync(join(source, "storage/mysql/schema/storage.sql"), "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A real MariaDB on loopback, with its data in a folder of its own: the server of the local image,
 * run by that image's own loader and libraries, so that nothing needs to be installed.
 */
export class MariaDb {
  readonly port: number;
  /** The CA of its certificate, which is for `localhost`, in PEM. */
  readonly ca: string;
  private readonly folder: string;
  private readonly server: ChildProcess;

  private constructor(folder: string, port: number, server: ChildProcess) {
    this.folder = folder;
    this.port = port;
    this.server = server;
    this.ca = readFileSync(join(folder, "ca.pem"), "utf8");
  }

  static async start(): Promise<MariaDb> {
    const folder = mkdtempSync(join(tmpdir(), "anchorhold-mariadb-"));
    try {
      return await MariaDb.startIn(folder);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private static async startIn(folder: string): Promise<MariaDb> {
    await extract(folder);
    certificates(folder);
    initialise(folder);
    const port = await freePort();
    const tls = ["ca", "cert", "key"].map((part) => `--ssl-${part}=${join(folder, `${part}.pem`)}`);
    const network = [`--bind-address=${host}`, `--port=${port}`, "--skip-name-resolve"];
    const [command, args] = mariadbd(folder, [...network, ...tls]);
    const server = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    const database = new MariaDb(folder, port, server);
    await database.ready().catch(async (error: unknown) => {
      await database.close();
      throw error;
    });
    return database;
  }

  /** Runs statements as the administrator. */
  async administer(sql: string): Promise<void> {
    await this.rows(sql);
  }

  /** What a query gives the administrator. */
  async rows(sql: string): Promise<unknown[]> {
    const connection = await createConnection({
      host,
      port: this.port,
      ...administrator,
      multipleStatements: true,
    });
    try {
      return (await connection.query(sql))[0] as unknown[];
    } finally {
      await connection.end();
    }
  }

  /** Connections that it was ever asked for, this one included. */
  async connections(): Promise<number> {
    const rows = await this.rows("SHOW GLOBAL STATUS LIKE 'Connections'");
    return Number((rows as { Value: string }[])[0]!.Value);
  }

  async close(): Promise<void> {
    if (this.server.exitCode === null) {
      const ended = once(this.server, "exit");
      this.server.kill("SIGKILL"); // its data goes with it
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    let said = "";
    this.server.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    for (let left = 100; left > 0; left -= 1) {
      const error = await this.administer("SELECT 1").catch((reason: unknown) => reason as Error);
      if (error === undefined) return;
      if (this.server.exitCode !== null) break;
      await sleep(100);
    }
    throw new Error(`MariaDB did not start:\n${said}`);
  }
}

async function extract(folder: string): Promise<void> {
  const parts = ["usr/sbin/mariadbd", "usr/share/mysql", "usr/lib/*-linux-gnu*", "usr/lib64"];
  const tar = await ensureRootfs(rootfs.services, silent);
  const wildcards = ["--wildcards", ...parts.map((part) => `./${part}`)];
  mustRun("tar", ["-x", "-f", tar, "-C", folder, ...wildcards]);
}

/** The server's command line, without its network. */
function mariadbd(folder: string, args: readonly string[]): [string, string[]] {
  const at = (...path: string[]) => join(folder, ...path);
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const loaders = ["usr/lib64/ld-linux-x86-64.so.2", `usr/lib/${triplet}/ld-linux-aarch64.so.1`];
  const loader = loaders.map((path) => at(path)).find((path) => existsSync(path));
  if (loader === undefined) throw new Error("the image of the services has no loader");
  mkdirSync(at("tmp"), { recursive: true });
  const options = [
    ...["--no-defaults", `--basedir=${at("usr")}`, `--datadir=${at("data")}`],
    ...[`--tmpdir=${at("tmp")}`, `--socket=${at("tmp", "s")}`, `--pid-file=${at("tmp", "p")}`],
    "--innodb-flush-log-at-trx-commit=0",
    ...(process.getuid?.() === 0 ? ["--user=root"] : []),
  ];
  const library = ["--library-path", at("usr/lib", triplet), at("usr/sbin/mariadbd")];
  return [loader, [...library, ...options, ...args]];
}

/** An empty server with one account. What mariadb-install-db does, without its many lookups. */
function initialise(folder: string): void {
  mkdirSync(join(folder, "data"));
  const { user, password } = administrator;
  const system = ["mysql_system_tables", "mysql_performance_tables", "mysql_system_tables_data"];
  const statements = [
    "SET @auth_root_socket=NULL;\nCREATE DATABASE mysql;\nUSE mysql;",
    ...system.map((name) => readFileSync(join(folder, "usr/share/mysql", `${name}.sql`), "utf8")),
    "FLUSH PRIVILEGES;\nDELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys';",
    "FLUSH PRIVILEGES;",
    `CREATE USER '${user}'@'%' IDENTIFIED BY '${password}';`,
    `GRANT ALL ON *.* TO '${user}'@'%' WITH GRANT OPTION;`,
  ];
  const [command, args] = mariadbd(folder, ["--bootstrap"]);
  mustRun(command, args, `${statements.join("\n")}\n`);
}

function certificates(folder: string): void {
  const at = (name: string) => join(folder, `${name}.pem`);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const days = ["-days", "2"];
  const [ca, caKey] = [at("ca"), at("ca-key")];
  const authority = ["-subj", "/CN=test CA", "-addext", "basicConstraints=critical,CA:TRUE"];
  mustRun("openssl", ["req", "-x509", ...key, ...days, ...authority, "-keyout", caKey, "-out", ca]);
  const signed = ["-CA", ca, "-CAkey", caKey, "-addext", "subjectAltName=DNS:localhost"];
  const leaf = ["-subj", "/CN=localhost", "-addext", "basicConstraints=CA:FALSE", ...signed];
  const files = ["-keyout", at("key"), "-out", at("cert")];
  mustRun("openssl", ["req", "-x509", ...key, ...days, ...leaf, ...files]);
}

function mustRun(command: string, args: readonly string[], input = ""): void {
  const { status, stderr } = spawnSync(command, args, { input, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stderr}`);
}

/** A port of loopback that nobody listened on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
