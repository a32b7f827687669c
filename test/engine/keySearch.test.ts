import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outputsSchema } from "../../infra/outputs.ts";
import { ApiError, refOf } from "../../local/pulumi/kubernetes/cluster.ts";
import { meantFor } from "../support/keySearch/meant.ts";
import { filesUnder, objectPlaces } from "../support/keySearch/places.ts";
import { ProcessWatch } from "../support/keySearch/processes.ts";
import { judge, KeySearch, type Place } from "../support/keySearch/search.ts";
import { secretsOf, type Secret } from "../support/keySearch/secrets.ts";
import type { Outcome } from "./support/engine.ts";
import { ProgramUnderTest } from "./support/stack.ts";

let program: ProgramUnderTest;
let processes: Place[];
const said: Place[] = [];
/** Every secret that there ever was, by its value. */
const ever = new Map<string, Secret>();

/** Runs a command of the engine; what it says is searched later. */
async function run(what: string, command: Promise<Outcome>): Promise<Outcome> {
  const outcome = await command;
  for (const stream of ["stdout", "stderr"] as const)
    said.push({ where: `${stream} of ${what}`, bytes: Buffer.from(outcome[stream]) });
  const { state } = await program.engine.exportState({ showSecrets: true });
  if ((state.deployment.resources ?? []).some(({ type }) => type.startsWith("tls:")))
    for (const secret of secretsOf(state)) ever.set(secret.bytes.toString("hex"), secret);
  return outcome;
}

type Life = Record<string, unknown>;

/** The next lines of both kinds that rotate, without a lead time worth waiting for. */
function configure(fulcioCa: Life, ctLog: Life = fulcioCa): void {
  const first = { "1": "active" };
  const others = { rekor: first, tsa: first, tufRoot: first, tufOnline: first };
  program.configure({ trust: { fulcioCa, ctLog, ...others }, leadTime: "1s" });
}

/** The API server refuses a new Secret, and its answer ends up in Pulumi's error. */
async function refusedUpdate(): Promise<void> {
  const { cluster } = program.engine;
  cluster.beforeWrite = (_verb, { kind, name }) => {
    if (kind === "Secret") throw new ApiError(403, "Forbidden", `secrets "${name}" is forbidden`);
  };
  const outcome = await run("a refused update", program.engine.up());
  cluster.beforeWrite = () => undefined;
  expect(outcome.code).not.toBe(0);
  expect(outcome.stdout + outcome.stderr).toContain("is forbidden");
}

beforeAll(async () => {
  program = await ProgramUnderTest.create();
  const { engine } = program;
  const watch = await ProcessWatch.start();
  configure({ "1": "active" });
  (await run("the first preview", engine.preview("--diff"))).expectSuccess();
  (await run("the first update", engine.up("--diff", "--debug"))).expectSuccess();
  configure({ "1": "active", "2": "announced" });
  await refusedUpdate();
  (await run("announcing", engine.up("--diff"))).expectSuccess();
  await sleep(2000);
  configure({ "1": "draining", "2": "active" });
  (await run("activating", engine.up("--diff"))).expectSuccess();
  await sleep(2000);
  const from = new Date().toISOString();
  configure({ "1": { distrusted: from }, "2": "active" }, { "1": "closed", "2": "active" });
  (await run("distrusting and closing", engine.up("--diff"))).expectSuccess();
  (await run("a refresh", engine.refresh("--diff"))).expectSuccess();
  processes = await watch.stop();
}, 900_000);
afterAll(() => program.close());

/** Every object of the cluster as it is now. */
const objects = () => program.engine.cluster.all().flatMap((object) => [...objectPlaces(object)]);

describe("after the lives of a CA and a CT log", () => {
  test("no secret stands anywhere but in the Secrets that are meant for it", async () => {
    const places = [...objects(), ...filesUnder(program.engine.folder), ...said, ...processes];
    const outputs = outputsSchema.parse(await program.engine.stackOutputs());
    expect(outputs.life).toMatchObject({
      fulcioCa: { issues: 2, accepts: [2], distrusted: { "1": {} } },
      ctLog: { issues: 2, accepts: [2], readOnly: [1] },
    });
    const hits = new KeySearch([...ever.values()]).search(places);
    const { leaks, unused } = judge(hits, meantFor(outputs));
    expect(leaks).toEqual([]);
    expect(unused).toEqual([]);
  }, 300_000);

  test("the search was for every key and password that was made, and where they might be", () => {
    const keys = [...ever.values()].map(({ name }) => name);
    const two = ["fulcio-ca-1", "fulcio-ca-2", "ctlog-1", "ctlog-2", "rekor-1", "tsa-1"];
    const tuf = ["root-1-root", "root-1-targets", "online-1-snapshot", "online-1-timestamp"];
    const made = [...two, ...tuf.map((role) => `tuf-${role}`)].map((name) => `${name}-key`);
    expect(keys).toEqual(expect.arrayContaining(made));
    expect(keys).toContain("trillian-database-root-password");
    const commands = processes.filter(({ where }) => where.startsWith("command line of"));
    const started = commands.map(({ bytes }) => bytes.toString().replaceAll("\0", " "));
    expect(started.some((line) => line.includes("cli/main.ts observe"))).toBe(true);
    expect(started.some((line) => line.includes("helm"))).toBe(true);
    const files = [...filesUnder(program.engine.folder)].map(({ where }) => where);
    for (const part of ["/stacks/", "/history/", "/backups/", "/events-"])
      expect(files.some((file) => file.includes(part))).toBe(true);
  });

  test("a distrusted CA's key is gone from the state and from every Secret", async () => {
    // An empty shell of the same name has taken its place.
    const [stolen, shell] = [...ever.values()].filter(({ name }) => name === "fulcio-ca-1-key");
    const search = new KeySearch([stolen!]);
    expect(new KeySearch([shell!]).search(objects())).toEqual([]);
    const { text } = await program.engine.exportState({ showSecrets: true });
    expect(search.search([{ where: "state", bytes: Buffer.from(text) }, ...objects()])).toEqual([]);
  });

  test("the encrypted state would be searched through, and is not", () => {
    const file = join(program.engine.folder, "state/.pulumi/stacks/anchorhold/local.json");
    const text = readFileSync(file, "utf8");
    expect(text).toContain("fulcio-ca-2-key");
    expect(text).not.toContain("PRIVATE KEY");
  });
});

test("objects have the kinds that secrets leak into", () => {
  const kinds = new Set(program.engine.cluster.all().map((object) => refOf(object).kind));
  for (const kind of ["Secret", "ConfigMap", "Deployment", "Job"]) expect(kinds).toContain(kind);
});
