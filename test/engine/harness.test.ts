import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine } from "./support/engine.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await Engine.create({ project: join(import.meta.dirname, "fixtures/tiny") });
});

afterAll(() => engine.close());

test("up creates everything, and a second look finds nothing to do", async () => {
  const first = (await engine.up()).expectSuccess();
  expect(first.changes.map(({ op, name }) => `${op} ${name}`)).toEqual([
    "create tiny-test",
    expect.stringMatching(/^create (password|home)$/),
    expect.stringMatching(/^create (password|home)$/),
    "create credentials",
  ]);
  const second = (await engine.preview("--expect-no-changes")).expectSuccess();
  expect(second.changes).toEqual([]);
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
