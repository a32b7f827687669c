import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { expect, test } from "vitest";
import * as YAML from "yaml";
import { configWith } from "../support/config.ts";

const docs = readFileSync(new URL("../../docs/databases.md", import.meta.url), "utf8");
const blocks = [...docs.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text]) => text!);

/** A block that shows several values of one key has a line for each. */
function configurations(block: string): Record<string, unknown>[] {
  const lines = block.trimEnd().split("\n");
  const keys = lines.filter((line) => line.startsWith("anchorhold:"));
  const texts = keys.length > 1 ? keys : [block];
  return texts.map((text) => {
    const parsed = YAML.parse(text) as object;
    return Object.fromEntries(
      Object.entries(parsed).map(([key, value]) => [key.replace("anchorhold:", ""), value]),
    );
  });
}

test("every configuration that docs/databases.md shows is one", () => {
  const certificate = rootCertificates[0]!.replaceAll(/^/gm, "        ").trim();
  const shown = blocks.flatMap((block) =>
    configurations(block.replace(/-----BEGIN CERTIFICATE-----\n\s*…/, certificate)),
  );
  expect(shown).toHaveLength(9);
  for (const values of shown)
    expect(() => configWith(values), JSON.stringify(values)).not.toThrow();
});
