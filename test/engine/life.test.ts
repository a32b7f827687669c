import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outputsSchema } from "../../infra/outputs.ts";
import type { Outcome } from "./support/engine.ts";
import { ProgramUnderTest } from "./support/stack.ts";

let program: ProgramUnderTest;
const one = { "1": "active" };
const trust = { fulcioCa: one, ctLog: one, rekor: one, tsa: one, tufRoot: one, tufOnline: one };
type Life = Record<string, unknown>;

/** The configuration with the lives given; without a lead time worth waiting for. */
function configure(lives: Record<string, Life>, leadTime = "1s"): void {
  program.configure({ trust: { ...trust, ...lives }, leadTime });
}

const outputs = async () => outputsSchema.parse(await program.engine.stackOutputs());
const signs = async () => expect(await program.trySign()).toEqual({ result: "signed" });

/**
 * What a reviewer reads, in an order that does not hang on the engine's parallel work, and without
 * what differs from run to run. A replacement is one line, not three.
 */
function shown({ stdout }: Outcome): string {
  const lines = stdout.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "<time>").split("\n");
  const steps = lines
    .filter((line) => /^ (\+ |~ |- |\+-) /.test(line))
    .map((line) => line.trimEnd());
  const of = (line = "") => line.trim().split(/\s+/)[2] ?? "";
  const story = lines.slice(lines.indexOf("Diagnostics:"));
  return [
    ...steps.sort((a, b) => of(a).localeCompare(of(b))),
    "",
    ...story.map((line) => line.trimEnd()).filter((line) => line !== ""),
  ].join("\n");
}

/** Previews, compares with the record in the docs, updates, and signs. */
async function step(name: string, lives: Record<string, Life>): Promise<Outcome> {
  configure(lives);
  const preview = (await program.engine.preview("--suppress-outputs")).expectSuccess();
  await expect(`${shown(preview)}\n`).toMatchFileSnapshot(`../../docs/previews/${name}.txt`);
  const update = (await program.engine.up()).expectSuccess();
  await signs();
  return update;
}

beforeAll(async () => {
  program = await ProgramUnderTest.create();
  configure({});
  (await program.engine.up()).expectSuccess();
});
afterAll(() => program.close());

const refused = async (lives: Record<string, Life>, why: RegExp, leadTime?: string) => {
  configure(lives, leadTime);
  const before = await program.engine.exportState({ showSecrets: true });
  const preview = await program.engine.preview();
  expect(preview.code).not.toBe(0);
  expect(preview.stdout).toMatch(why);
  expect((await program.engine.exportState({ showSecrets: true })).text).toBe(before.text);
};

/** The protected keys of the state: resource name → public half. */
async function keys(): Promise<Record<string, unknown>> {
  const { state } = await program.engine.exportState({ showSecrets: true });
  return Object.fromEntries(
    (state.deployment.resources ?? []).flatMap(
      ({ urn, type, outputs: out }): [string, unknown][] =>
        type === "tls:index/privateKey:PrivateKey"
          ? [[urn.split("::").at(-1) ?? "", out?.["publicKeyPem"]]]
          : [],
    ),
  );
}

describe("the life of Fulcio's CA", () => {
  const life = async () => (await outputs()).life.fulcioCa;
  let before: Record<string, unknown>;

  test("announced: made, accepted and published, not used", async () => {
    before = await keys();
    await step("fulcioCa-1-announce", { fulcioCa: { "1": "active", "2": "announced" } });
    expect(await life()).toMatchObject({ issues: 1, accepts: [1, 2] });
    expect((await life()).published["2"]).toBeDefined();
    expect(await keys()).toMatchObject(before);
  });

  test("refused in the preview: too early, a gap, forgotten, closed, retired", async () => {
    const next = { "1": "draining", "2": "active" };
    await refused({ fulcioCa: next }, /lead time[^]*from \d{4}-/, "1h");
    await refused(
      { fulcioCa: { ...next, "3": "active" } },
      /exactly one generation must be active/,
    );
    await refused({ fulcioCa: { "1": "active", "3": "announced" } }, /generation 2 is missing/);
    await refused({ fulcioCa: { "1": "active" } }, /generation 2 is recorded/);
    await refused({ fulcioCa: { "1": "closed", "2": "active" } }, /write draining/);
    await refused({ fulcioCa: { "1": "retired", "2": "active" } }, /not recorded as closed/);
    await refused({ ctLog: { "1": "draining", "2": "active" } }, /cannot be active before/);
  });

  test("active: Fulcio changes, both stay trusted; and back, and forth again", async () => {
    const next = { fulcioCa: { "1": "draining", "2": "active" } };
    await step("fulcioCa-2-activate", next);
    expect(await life()).toMatchObject({ issues: 2, accepts: [1, 2], ends: {} });
    await step("fulcioCa-3-step-back", { fulcioCa: { "1": "active", "2": "announced" } });
    expect((await life()).issues).toBe(1);
    configure(next);
    (await program.engine.up()).expectSuccess();
    expect((await life()).switches.map(({ generation }) => generation)).toEqual([1, 2, 1, 2]);
    await signs();
  });

  test("closed: its window ends, the CT log takes it no more, no step back", async () => {
    await refused({ fulcioCa: { "1": "closed", "2": "active" } }, /can be closed from/, "1h");
    await step("fulcioCa-4-close", { fulcioCa: { "1": "closed", "2": "active" } });
    expect(await life()).toMatchObject({ accepts: [2] });
    expect((await life()).ends["1"]).toBeDefined();
    await refused({ fulcioCa: { "1": "active", "2": "announced" } }, /recorded as closed/);
    expect(await keys()).toMatchObject(before);
  });

  test("retired: its private key is gone from the state, what it signed stays trusted", async () => {
    const { state } = await program.engine.exportState({ showSecrets: true });
    const old = (state.deployment.resources ?? []).find(({ urn }) =>
      urn.endsWith("::fulcio-ca-1-key"),
    );
    const privateKey = JSON.stringify(old?.outputs?.["privateKeyPem"]);
    await step("fulcioCa-5-retire", { fulcioCa: { "1": "retired", "2": "active" } });
    const after = await program.engine.exportState({ showSecrets: true });
    expect(after.text).not.toContain(privateKey.slice(40, 120));
    const { records } = await outputs();
    expect(Object.keys(records.fulcioCa)).toEqual(["1", "2"]);
  });

  test("an update without a change does nothing in between", async () => {
    expect((await program.engine.up()).expectSuccess().changes).toEqual([]);
  });
});

describe("the life of the CT log", () => {
  const fulcioCa = { "1": "retired", "2": "active" };
  const life = async () => (await outputs()).life.ctLog;

  test("announced, active, closed and retired", async () => {
    await step("ctLog-1-announce", { fulcioCa, ctLog: { "1": "active", "2": "announced" } });
    expect(await life()).toMatchObject({ issues: 1, accepts: [1, 2] });
    await step("ctLog-2-activate", { fulcioCa, ctLog: { "1": "draining", "2": "active" } });
    expect(await life()).toMatchObject({ issues: 2, accepts: [1, 2], readOnly: [] });
    await step("ctLog-4-close", { fulcioCa, ctLog: { "1": "closed", "2": "active" } });
    expect(await life()).toMatchObject({ accepts: [2], readOnly: [1] });
    await step("ctLog-5-retire", { fulcioCa, ctLog: { "1": "retired", "2": "active" } });
    expect(await life()).toMatchObject({ accepts: [2], readOnly: [] });
    expect(program.trillian.trees).toHaveLength(3);
  });
});

describe("a protected stack", () => {
  const lives = {
    fulcioCa: { "1": "retired", "2": "active" },
    ctLog: { "1": "retired", "2": "active" },
  };

  test("destroy deletes nothing, in the state and in the cluster", async () => {
    configure(lives);
    const urns = async () =>
      ((await program.engine.exportState()).state.deployment.resources ?? []).map(({ urn }) => urn);
    const [resources, objects] = [await urns(), program.engine.cluster.all().length];
    const destroyed = await program.engine.destroy();
    expect(destroyed.code).not.toBe(0);
    expect(await urns()).toEqual(resources);
    expect(program.engine.cluster.all()).toHaveLength(objects);
    await signs();
  });

  test("an old state and a log that forgot entries are refused in the preview", async () => {
    configure(lives);
    const { cluster } = program.engine;
    const map = { apiVersion: "v1", kind: "ConfigMap", name: "tuf-timestamp" };
    const ref = { ...map, namespace: "anchorhold-local-tuf" };
    const signed = (await cluster.get(ref))!;
    const newer = JSON.stringify({
      version: 9e9,
      snapshotVersion: 99,
      signed: "2026-01-01T00:00:00Z",
    });
    const data = { ...(signed["data"] as object), last: newer };
    await cluster.apply({ ...signed, data }, { fieldManager: "test" });
    await refused(lives, /serves version 99 of the TUF repository, this state knows \d+ at most/);
    await cluster.apply(signed, { fieldManager: "test" });
    const { trees } = program.served;
    const { treeId } = (await outputs()).records.rekor["1"]!;
    const size = trees.size(treeId);
    trees.forget(treeId, 1);
    await refused(lives, /rekor-1 has 1 entries[^]*does not continue the recorded/);
    trees.forget(treeId, size);
    const fine = (await program.engine.preview()).expectSuccess();
    expect(fine.stdout).not.toContain("could not be compared");
  });
});
