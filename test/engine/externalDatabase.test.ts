import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { assertRestorable } from "../../cli/backup/external.ts";
import { backup } from "../../cli/backup/command.ts";
import { diagnose } from "../../cli/doctor/diagnose/index.ts";
import type { Evidence } from "../../cli/doctor/evidence.ts";
import { restore } from "../../cli/restore/command.ts";
import { refOf } from "../../local/pulumi/kubernetes/cluster.ts";
import { MariaDb, trillianSchema, whySkipped } from "../support/mariadb.ts";
import { NodePorts, onCopy, snapshot } from "./support/scene.ts";
import { openlyIn } from "./support/secrets.ts";
import { ProgramUnderTest } from "./support/stack.ts";

// The stack with its logs in a real MariaDB. The trees that the stand-in for Trillian makes are
// written there by hand, as the real one would have.
const password = "wN7-not-to-be-seen-q2";
const secret = [{ of: "the database", bytes: Buffer.from(password) }];

let database: MariaDb;
let program: ProgramUnderTest;
const ports = new NodePorts();

beforeAll(async () => {
  const started = await Promise.all([MariaDb.start(), trillianSchema(), ProgramUnderTest.create()]);
  database = started[0];
  program = started[2];
  await database.administer(`CREATE DATABASE trillian; USE trillian; ${started[1]}`);
  await database.administer(
    `CREATE USER 'trillian'@'%' IDENTIFIED BY '${password}'; ` +
      "GRANT SELECT, INSERT, UPDATE, DELETE ON trillian.* TO 'trillian'@'%'",
  );
});
afterAll(async () => {
  ports.close();
  await program.close();
  await database.close();
});

const setPassword = (text: string, how = "--secret") =>
  program.engine.pulumi([
    ...["config", "set", how, "anchorhold:databasePassword", text, "--stack", "local"],
  ]);

/** The stack with the external database, and the password as `pulumi config set` writes it. */
async function configure(changes: Record<string, unknown> = {}, more = {}): Promise<void> {
  const access = { address: `localhost:${database.port}` };
  const external = { host: "mysql.corp.test", user: "trillian", access, ...changes };
  program.configure({ database: { external }, ...more });
  expect(await setPassword(password)).toMatchObject({ code: 0 });
}

const statesResources = async () =>
  (await program.engine.exportState()).state.deployment.resources ?? [];

/** A preview that is refused, and changes nothing. */
async function refused(): Promise<string> {
  const before = await statesResources();
  const outcome = await program.engine.preview();
  expect(outcome.code).not.toBe(0);
  expect(await statesResources()).toEqual(before);
  expect(openlyIn({ text: outcome.stdout + outcome.stderr }, secret)).toEqual([]);
  return outcome.errors.join("\n");
}

beforeEach(() => configure());

describe.skipIf(whySkipped !== "")(
  `before the first deployment, a preview refuses${whySkipped}`,
  () => {
    test("a missing password, one in clear, and one that is not wanted", async () => {
      program.configure({ database: { external: { host: "mysql.corp.test", user: "trillian" } } });
      expect(await refused()).toContain("anchorhold:databasePassword: is missing");
      expect(await setPassword(password, "--plaintext")).toMatchObject({ code: 0 });
      expect(await refused()).toContain("stands in the stack file in clear");
      program.configure();
      await setPassword(password);
      expect(await refused()).toContain("is for anchorhold:database.external alone");
    });

    test("a database that does not answer, and one that does not know the password", async () => {
      await configure({ access: { address: "localhost:1" } });
      expect(await refused()).toContain("trillian at mysql.corp.test:3306 cannot be used");
      await configure();
      await setPassword("wrong");
      expect(await refused()).toContain("it does not let trillian in");
    });

    test("and nothing is in the cluster", () => expect(program.engine.cluster.all()).toEqual([]));
  },
);

test.skipIf(whySkipped !== "")(
  `where nobody here can ask it, a preview warns that it was not checked${whySkipped}`,
  async () => {
    await configure({ access: "none" });
    const preview = (await program.engine.preview()).expectSuccess();
    const warned = preview.log.diagnostics.filter(({ severity }) => severity === "warning");
    expect(warned.map(({ message }) => message).join("\n")).toContain(
      "The external database trillian at mysql.corp.test:3306 was not asked",
    );
  },
);

describe.skipIf(whySkipped !== "")(`the stack${whySkipped}`, () => {
  beforeAll(async () => {
    await configure();
    (await program.engine.up("--policy-pack", "policies")).expectSuccess();
  });

  test("has no MySQL, no claim and no password of its own", async () => {
    const names = program.engine.cluster
      .all()
      .filter(({ kind }) => kind !== "Secret")
      .map((object) => refOf(object).name);
    expect(names).toContain("trillian-logserver");
    expect(names).not.toContain("trillian-mysql");
    expect(program.engine.cluster.all().map(({ kind }) => kind)).not.toContain(
      "PersistentVolumeClaim",
    );
    const types = (await statesResources()).map(({ type }) => type);
    expect(types.filter((type) => /RandomPassword|PersistentVolumeClaim/.test(type))).toEqual([]);
  });

  test("has the password in one Secret, and nowhere in the clear", async () => {
    const { text } = await program.engine.exportState();
    expect(openlyIn({ text }, secret)).toEqual([]);
    const holders = program.engine.cluster
      .all()
      .filter((object) => openlyIn(object, secret).length > 0);
    expect(holders.map((object) => refOf(object).name)).toEqual([
      expect.stringMatching(/^trillian-database-flags-/),
    ]);
  });

  test("must find its logs there: another database is refused", async () => {
    expect(await refused()).toContain("the logs ctlog-1, rekor-1 of this stack");
    for (const { treeId, displayName } of program.trillian.trees)
      await database.administer(
        `INSERT INTO trillian.Trees VALUES (${treeId}, 'ACTIVE', 'LOG', 'RFC6962_SHA256', 'SHA256', ` +
          `'ECDSA', '${displayName}', '', 1, 1, 1, '', '', FALSE, NULL)`,
      );
    (await program.engine.preview("--expect-no-changes")).expectSuccess();
  });

  test("keeps its database: a change to one of its own is refused", async () => {
    program.configure();
    expect(await refused()).toContain(
      "anchorhold:database names a database of the stack's own, but the logs of this stack are in an " +
        "external one; nothing was changed.",
    );
  });

  test("gets another password and keeps every key and tree", async () => {
    const next = "zP4-the-next-one";
    await database.administer(`ALTER USER 'trillian'@'%' IDENTIFIED BY '${next}'`);
    await setPassword(next);
    const changed = (await program.engine.up()).expectSuccess();
    const touched = changed.changes.map(({ op, name }) => `${op} ${name}`);
    expect(touched.every((line) => /trillian-(database-flags|release)$/.test(line))).toBe(true);
    expect(touched.length).toBeGreaterThan(1);
    await database.administer(`ALTER USER 'trillian'@'%' IDENTIFIED BY '${password}'`);
    await configure();
    (await program.engine.up()).expectSuccess();
  });

  test("is healthy to doctor, which names the database when Trillian is not", async () => {
    const deployed = await snapshot(program);
    const findings = async (ready?: 0) =>
      onCopy(deployed, ports, async (scene) => {
        const evidence = await scene.look();
        const live = Object.entries(evidence.live).map(([title, object]) => {
          const isServer = /Deployment .*trillian-logserver$/.test(title);
          const status = { readyReplicas: ready };
          return [title, ready !== undefined && isServer ? { ...object, status } : object];
        });
        const changed = { ...evidence, live: Object.fromEntries(live) as Evidence["live"] };
        return diagnose(changed).filter(({ component }) => component === "trillian");
      });
    expect(await findings()).toEqual([]);
    expect(await findings(0)).toMatchObject([
      { command: "pulumi preview", cause: expect.stringContaining("external") as string },
    ]);
  });
});

describe.skipIf(whySkipped !== "")(`backup and restore${whySkipped}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "anchorhold-backup-"));
    const { environment } = program.engine;
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    vi.stubEnv("KUBECONFIG", program.kubeconfig);
    vi.stubEnv("ANCHORHOLD_BACKUP_PASSPHRASE", "correct horse battery staple");
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test("make no half backup: the database is its operator's", async () => {
    const file = join(folder, "backup");
    await expect(backup(file, {}, () => undefined)).rejects.toThrow(
      /in an external database, .*nothing was written.*pulumi stack export --file FILE, then a dump/s,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test("load nothing into a database of somebody else's", async () => {
    const options = { yes: true, nothingSignedSince: true };
    const file = join(folder, "not-even-read");
    expect(existsSync(file)).toBe(false);
    await expect(restore(file, options, () => undefined)).rejects.toThrow(
      /anchorhold:database of this stack is external.*nothing was changed/s,
    );
    program.configure();
    await expect(assertRestorable(undefined)).resolves.toBeUndefined();
  });
});
