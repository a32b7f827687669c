import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeRelease } from "../../local/pulumi/kubernetes/memoryHelm.ts";
import { Engine } from "./support/engine.ts";

/**
 * The recorded program through the real engine, with the steps of the recordings: what a stand-in
 * answers call by call must also add up to the same plan.
 */
let engine: Engine;

beforeAll(async () => {
  const project = join(import.meta.dirname, "fixtures/recorded-program");
  engine = await Engine.create({ project });
  (await engine.up()).expectSuccess();
});

afterAll(() => engine.close());

/** The operations of a set of resources, in the order of the names. */
const opsOf = (outcome: { ops(name: string): string[] }, ...names: string[]): string[][] =>
  names.map((name) => outcome.ops(name));

const replaced = ["create-replacement", "replace", "delete-replaced"];

test("nothing changed: nothing to do (02)", async () => {
  const preview = (await engine.preview("--expect-no-changes")).expectSuccess();
  expect(preview.changes).toEqual([]);
});

test("one value changed: update, replace by name, replace in place (03, 04)", async () => {
  engine.setConfig({ "rec:note": "b" });
  const preview = (await engine.preview()).expectSuccess();
  const up = (await engine.up()).expectSuccess();
  for (const outcome of [preview, up]) {
    expect(opsOf(outcome, "counter", "key", "demo")).toEqual([["update"], replaced, ["update"]]);
    expect(outcome.ops("cfg").slice(0, 3)).toEqual([
      "delete-replaced",
      "replace",
      "create-replacement",
    ]);
    expect(outcome.ops("own")).toEqual(["same"]);
  }
  const order = up.changes.map(({ op, name }) => `${op} ${name}`);
  expect(order.indexOf("delete-replaced key")).toBeGreaterThan(order.indexOf("update demo"));
  const { out } = (await engine.stackOutputs()) as { out: { command: string } };
  expect(out.command).toBe("updated-b-from-created-a");
});

test("a generation raised: every dependent follows (06, 07)", async () => {
  engine.setConfig({ "rec:note": "b", "rec:gen": "2" });
  const preview = (await engine.preview()).expectSuccess();
  const up = (await engine.up()).expectSuccess();
  for (const outcome of [preview, up]) {
    for (const name of ["ca", "db", "counter", "key"]) expect(outcome.ops(name)).toEqual(replaced);
    expect(opsOf(outcome, "demo", "p384", "rid")).toEqual([["update"], ["same"], ["same"]]);
  }
});

test("deleted behind Pulumi's back: refresh sees it, up puts the same bytes back (08, 09)", async () => {
  const secrets = () => engine.cluster.list({ apiVersion: "v1", kind: "Secret", namespace: "rec" });
  const isOurs = ({ metadata }: { metadata?: unknown }) =>
    (metadata as { name: string }).name.startsWith("key-");
  const [before] = (await secrets()).filter(isOurs);
  const { name } = before?.["metadata"] as { name: string };
  await engine.cluster.delete({ apiVersion: "v1", kind: "Secret", namespace: "rec", name });
  (await engine.refresh()).expectSuccess();
  const up = (await engine.up()).expectSuccess();
  expect(opsOf(up, "key", "demo", "ca")).toEqual([["create"], ["update"], ["same"]]);
  const [after] = (await secrets()).filter(isOurs);
  expect(after?.["data"]).toEqual(before?.["data"]);
});

test("a chart that is not there (10)", async () => {
  engine.setConfig({ "rec:note": "b", "rec:gen": "2", "rec:chart": "./nochart" });
  const preview = await engine.preview();
  expect(preview.code).not.toBe(0);
  expect(preview.errors.join("\n")).toContain(
    'path "./nochart" not found; check the chart name and repository configuration.',
  );
});

test("a release that Helm left pending is refused until its record is gone", async () => {
  engine.setConfig({ "rec:note": "c", "rec:gen": "2" });
  const pending = {
    name: "demo",
    namespace: "rec",
    revision: 9,
    status: "pending-upgrade",
    chart: { name: "demo", version: "", appVersion: "" },
    config: {},
    manifest: "",
  };
  const record = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "sh.helm.release.v1.demo.v9",
      namespace: "rec",
      labels: { owner: "helm", name: "demo", status: "pending-upgrade", version: "9" },
    },
    data: { release: encodeRelease(pending) },
  };
  engine.cluster.put(record);
  const blocked = await engine.up();
  expect(blocked.errors.join("\n")).toContain(
    "another operation (install/upgrade/rollback) is in progress",
  );
  await engine.cluster.delete({ ...record, namespace: "rec", name: record.metadata.name });
  (await engine.up()).expectSuccess();
});

test("everything deleted (12)", async () => {
  (await engine.destroy()).expectSuccess();
  expect(engine.cluster.all()).toEqual([]);
});
