import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { planRestore } from "../../cli/restore/plan.ts";
import { clusterOf, exportState, importState, stateSchema, type State } from "../../cli/state.ts";
import { outputsSchema, type StackOutputs } from "../../infra/outputs.ts";
import { ProgramUnderTest } from "./support/stack.ts";

/**
 * A state goes to another cluster, whose database has the logs' trees already: what a restore does,
 * without the dump, for which there is no stand-in here.
 */
let lost: ProgramUnderTest;
let fresh: ProgramUnderTest;
let before: { state: State; outputs: StackOutputs };

const outputsOf = async ({ engine }: ProgramUnderTest) =>
  outputsSchema.parse(await engine.stackOutputs());

/** Runs our commands' Pulumi on this program's stack. */
function use({ engine }: ProgramUnderTest): void {
  for (const [name, value] of Object.entries(engine.environment)) vi.stubEnv(name, value);
}

beforeAll(async () => {
  lost = await ProgramUnderTest.create();
  fresh = await ProgramUnderTest.create();
  (await lost.engine.up()).expectSuccess();
  use(lost);
  before = { state: await exportState(undefined), outputs: await outputsOf(lost) };
  const { trees, initialised } = lost.trillian;
  fresh.trillian.trees.push(...trees);
  for (const treeId of initialised) fresh.trillian.initialised.add(treeId);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await lost.close();
  await fresh.close();
});

const plan = (state: State, current: State, uid: string) =>
  planRestore({
    backup: {
      manifest: { version: 1, created: "2026-11-23T00:00:00Z", checkpoints: {}, stateBytes: 2 },
      state,
    },
    current,
    cluster: { uid, occupied: [] },
  }).state;

test("the same Sigstore comes up in another cluster: nothing is made twice", async () => {
  use(fresh);
  const { uid } = fresh.engine.cluster;
  expect(uid).not.toBe(clusterOf(before.state));
  const moved = plan(before.state, await exportState(undefined), uid);
  await importState(undefined, moved!);
  const up = (await fresh.engine.up()).expectSuccess();

  const made = up.changes.filter(({ type }) => !type.startsWith("kubernetes:"));
  const gates = made.filter(({ type }) => type === "command:local:Command");
  expect(gates.every(({ name }) => name.endsWith("-observe"))).toBe(true);
  expect(made.filter((step) => !gates.includes(step)).map(({ op, name }) => [op, name])).toEqual([
    ["create", "cluster"],
  ]);
  expect(fresh.trillian.trees).toEqual(lost.trillian.trees);
  const order = up.changes.map(({ name }) => name);
  for (const producer of ["tsa-release", "fulcio-release"])
    expect(order.slice(0, order.indexOf(producer)), producer).toContain("trusted-gate-observe");

  const { clusterUid, ...after } = await outputsOf(fresh);
  expect(clusterUid).toBe(uid);
  expect(after).toEqual({ ...before.outputs, clusterUid: undefined });
  expect(await fresh.trySign()).toEqual({ result: "signed" });
});

test("broken off and begun again, the state of the new cluster stays as it is", async () => {
  use(fresh);
  const current = await exportState(undefined);
  expect(plan(before.state, current, fresh.engine.cluster.uid)).toBe(undefined);
  expect((await fresh.engine.up()).expectSuccess().changes).toEqual([]);
});

test("an exported state with unknown fields is read and written as it was", async () => {
  use(lost);
  const { text } = await lost.engine.exportState();
  expect(stateSchema.parse(JSON.parse(text))).toMatchObject(JSON.parse(text) as object);
});
