import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine } from "./support/engine.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await Engine.create({ project: join(import.meta.dirname, "fixtures/tiny") });
});

afterAll(() => engine.close());

function configMapsIn(namespace: string): Promise<string[]> {
  return namesIn("ConfigMap", namespace);
}

async function namesIn(kind: string, namespace: string): Promise<string[]> {
  const objects = await engine.cluster.list({ apiVersion: "v1", kind, namespace });
  return objects.map(({ metadata }) => (metadata as { name: string }).name).sort();
}

test("up creates everything, and a second look finds nothing to do", async () => {
  const first = (await engine.up()).expectSuccess();
  const steps = first.changes.map(({ op, name }) => `${op} ${name}`);
  const names = ["credentials", "home", "password", "placed", "tiny-test", "unplaced"];
  expect(steps.sort()).toEqual(names.map((name) => `create ${name}`));
  const second = (await engine.preview("--expect-no-changes")).expectSuccess();
  expect(second.changes).toEqual([]);
});

test("each provider has its own configuration", async () => {
  expect(await configMapsIn("home")).toEqual(["placed"]);
  expect(await configMapsIn("")).toEqual(["placed", "unplaced"]);
});

test("a changed Secret gets a new name before the old one goes", async () => {
  const { secretName: before } = await engine.stackOutputs();
  engine.setConfig({ "tiny:note": "second" });
  const outcome = (await engine.up()).expectSuccess();
  expect(outcome.ops("credentials")).toEqual(["create-replacement", "replace", "delete-replaced"]);
  const { secretName: after } = await engine.stackOutputs();
  expect(after).not.toBe(before);
  const names = (
    await engine.cluster.list({ apiVersion: "v1", kind: "Secret", namespace: "home" })
  ).map(({ metadata }) => (metadata as { name: string }).name);
  expect(names).toEqual([after]);
});

test("a refusal by the program is one error and leaves the state as it was", async () => {
  const { state: before } = await engine.exportState({ showSecrets: true });
  engine.setConfig({ "tiny:refuse": "true" });
  const outcome = await engine.up();
  expect(outcome.code).not.toBe(0);
  expect(outcome.errors).toContain("refused by the program");
  expect(outcome.changes).toEqual([]);
  const { state: after } = await engine.exportState({ showSecrets: true });
  expect(after.deployment.resources).toEqual(before.deployment.resources);
});

test("the secret is not in the clear in the exported state", async () => {
  const { clear } = await engine.stackOutputs();
  const { text } = await engine.exportState();
  expect(clear).toMatch(/^.{20}$/);
  expect(text).not.toContain(clear);
  expect(text).not.toContain(Buffer.from(clear as string).toString("base64"));
});

test("the file backend keeps nothing that a kill can leave half written", () => {
  const folder = mkdtempSync(join(tmpdir(), "anchorhold-saved-"));
  engine.saveTo(folder);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  rmSync(folder, { recursive: true });
  expect(files).toContain("state/.pulumi/stacks/tiny/test.json");
  expect(files.filter((file) => file.endsWith(".attrs"))).toEqual([]);
});

test("destroy removes everything, providers last", async () => {
  engine.setConfig({});
  (await engine.destroy()).expectSuccess();
  expect(engine.cluster.all()).toEqual([]);
});
