import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diagnose } from "../../cli/doctor/diagnose/index.ts";
import { warnings } from "../../cli/doctor/diagnose/warnings.ts";
import { mend, type Hands } from "../../cli/doctor/fix/index.ts";
import { faults } from "../support/faults/index.ts";
import { handsOn, keysOf } from "./support/hands.ts";
import { deploy, InMemory, NodePorts } from "./support/scene.ts";
import { trySign } from "./support/signer.ts";
import type { ProgramUnderTest } from "./support/stack.ts";

// What Pulumi mends, and a stack in the middle of a rotation: on the stack itself, not on copies.

const ports = new NodePorts();
let program: ProgramUnderTest;
let exposure: object;
let hands: Hands;

beforeAll(async () => {
  ({ program, exposure } = await deploy(ports));
  ports.stage = program.served;
  hands = handsOn(program);
}, 600_000);

afterAll(async () => {
  await program.close();
  ports.close();
});

const findings = async () => diagnose(await hands.look()).map(({ id }) => id);

async function inject(...names: readonly string[]): Promise<void> {
  const { state } = await hands.look();
  const target = { cluster: new InMemory(program.engine.cluster), outputs: state.outputs };
  for (const name of names) {
    const fault = faults.find((candidate) => candidate.name === name);
    if (fault === undefined) throw new Error(`no fault "${name}"`);
    await fault.inject(target);
  }
}

describe("--fix with Pulumi", { timeout: 600_000 }, () => {
  test("does not deploy what waits in the configuration", async () => {
    await inject("a byte of Rekor's key");
    program.configure({ exposure, labels: { team: "platform" } });
    const { done, refused } = await mend(await hands.look(), hands);
    program.configure({ exposure });
    expect(done).toEqual([]);
    expect(refused).toEqual([expect.stringMatching(/^Changes wait that were not deployed/)]);
    expect(await findings()).toEqual(["rekor-key-changed"]);
  });

  test("mends everything at once, and makes no key", async () => {
    const before = await keysOf(program);
    await inject(
      "Fulcio's CA is replaced, as createcerts does",
      "a byte of the CT log's tree id",
      "a byte of the database's password",
      "Secret tsa-signer is deleted",
      "a byte of the published trusted_root.json",
      "a byte of the signer's record",
      "Service tuf is deleted",
      "CronJob tuf-timestamp is deleted",
      "RoleBinding tuf-signer is deleted",
      "Deployment fulcio-server is deleted",
      "a byte of the TSA's chain",
      "PodDisruptionBudget rekor-1-server is deleted",
    );
    const found = await hands.look();
    expect(
      diagnose(found)
        .map(({ id }) => id)
        .sort(),
    ).toEqual([
      "ctlog-tree-changed",
      "database-login-changed",
      "fulcio-ca-replaced",
      "missing-cronjob",
      "missing-deployment",
      "missing-poddisruptionbudget",
      "missing-rolebinding",
      "missing-secret",
      "missing-service",
      "rekor-key-changed",
      "tsa-chain-changed",
      "tuf-repository-changed",
      "tuf-timestamp-record-changed",
    ]);
    const { refused, evidence } = await mend(found, hands);
    expect(refused).toEqual([]);
    expect(diagnose(evidence)).toEqual([]);
    const { url } = evidence.state.outputs.mirror;
    expect(await trySign(program.served, url)).toMatchObject({ result: "signed" });
    expect(await keysOf(program)).toEqual(before);
  });

  test("does nothing the second time", async () => {
    expect(await mend(await hands.look(), hands)).toMatchObject({ done: [], refused: [] });
  });

  test("takes fields back that somebody has edited", async () => {
    await inject("the mirror's pods are on an old revision");
    expect(await findings()).toEqual(["tuf-revision-old"]);
    const { refused, evidence } = await mend(await hands.look(), hands);
    expect(refused).toEqual([]);
    expect(diagnose(evidence)).toEqual([]);
  });

  test("takes up a Release whose record was deleted, and a namespace", async () => {
    const before = await keysOf(program);
    const { cluster } = program.engine;
    const record = { apiVersion: "v1", kind: "Secret", namespace: "anchorhold-local-tsa" };
    await cluster.delete({ ...record, name: "sh.helm.release.v1.tsa.v1" });
    await cluster.delete({ ...record, name: "sh.helm.release.v1.tsa.v2" });
    await inject("Fulcio's namespace is deleted");
    expect(await findings()).toEqual(["helm-record-missing", "missing-namespace"]);
    const { refused } = await mend(await hands.look(), hands);
    expect(refused).toEqual([]);
    expect(await findings()).toEqual([]);
    expect(await keysOf(program)).toEqual(before);
  });
});

describe("no fault is found in the middle of a rotation:", { timeout: 600_000 }, () => {
  const one = { "1": "active" };
  const others = { rekor: one, tsa: one, tufRoot: one, tufOnline: one };

  test.each([
    ["announced", { "1": "active", "2": "announced" }],
    ["draining", { "1": "draining", "2": "active" }],
    ["closed", { "1": "closed", "2": "active" }],
    ["retired", { "1": "retired", "2": "active" }],
  ])("%s", async (_, generations) => {
    const trust = { fulcioCa: generations, ctLog: generations, ...others };
    program.configure({ exposure, trust, leadTime: "1s" });
    (await program.engine.up()).expectSuccess();
    const evidence = await hands.look();
    expect(diagnose(evidence)).toEqual([]);
    expect(warnings(evidence)).toEqual([]);
  });
});
