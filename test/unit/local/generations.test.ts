import { expect, test } from "vitest";
import { rotatedHere } from "../../../local/stack/generations.ts";

const committed = { fulcioCa: { "1": "active" }, ctLog: { "1": "active" } };
const fulcioCa = { "1": "retired", "2": "active" };

test("without a rotation the committed lines are deployed", () => {
  expect(rotatedHere(committed)).toEqual({});
});

test("a generation that was made here keeps its line, the other kinds are not concerned", () => {
  expect(rotatedHere(committed, { fulcioCa, ctLog: { "1": "active" } })).toEqual({ fulcioCa });
});

test("committed lines that name every generation speak again", () => {
  const further = { ...committed, fulcioCa: { ...fulcioCa, "3": "announced" } };
  expect(rotatedHere(further, { fulcioCa })).toEqual({});
});

test("a committed file that lost its lines does not take them away here", () => {
  expect(rotatedHere(undefined, { fulcioCa })).toEqual({ fulcioCa });
  expect(rotatedHere({ ctLog: {} }, { fulcioCa })).toEqual({ fulcioCa });
});
