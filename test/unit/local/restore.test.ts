import { expect, test } from "vitest";
import { stateSchema } from "../../../cli/state.ts";
import { generationsOf } from "../../../local/stack/restore.ts";

const stateWith = (outputs: object) =>
  stateSchema.parse({
    version: 3,
    deployment: {
      resources: [{ urn: "urn:pulumi:local::a::b::c", type: "pulumi:pulumi:Stack", outputs }],
    },
  });

test("a restored stack gets the generations that its backup had", () => {
  const life = {
    fulcioCa: {
      states: { "1": "distrusted", "2": "active" },
      distrusted: { "1": { from: "2026-11-23T00:00:00Z" } },
    },
    ctLog: { states: { "1": "retired", "2": "active" }, distrusted: {}, ends: {} },
  };
  expect(generationsOf(stateWith({ life }))).toEqual({
    fulcioCa: { "1": { distrusted: "2026-11-23T00:00:00Z" }, "2": "active" },
    ctLog: { "1": "retired", "2": "active" },
  });
});

test("a state of a stack that was never deployed names none", () => {
  expect(generationsOf(stateWith({}))).toEqual({});
});
