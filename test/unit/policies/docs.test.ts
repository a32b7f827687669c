import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { policies } from "../../../policies/policies.ts";

const docs = readFileSync(new URL("../../../docs/policies.md", import.meta.url), "utf8");
const rows = docs.split("\n").flatMap((line) => {
  const [, name, , , settings] = line.split("|").map((cell) => cell.trim());
  return name?.startsWith("`") ? [{ name, settings: settings ?? "" }] : [];
});

test("docs/policies.md has a row a rule, in the pack's order", () => {
  expect(rows.map(({ name }) => name)).toEqual(policies.map(({ name }) => `\`${name}\``));
});

test("and names every setting, each with a default", () => {
  for (const [index, { configSchema }] of policies.entries()) {
    const properties = configSchema?.properties ?? {};
    const named = rows[index]!.settings.match(/`\w+`(?= \(|,|$)/g) ?? [];
    expect(new Set(named)).toEqual(new Set(Object.keys(properties).map((key) => `\`${key}\``)));
    for (const schema of Object.values(properties)) expect(schema.default).toBeDefined();
  }
});

test("every description is one sentence", () => {
  for (const { description } of policies) expect(description).toMatch(/^[A-Z].*[^.]\.$/s);
});
