import { expect, test } from "vitest";
import * as YAML from "yaml";
import { configWith } from "../../support/config.ts";
import { page } from "../../support/commandBlocks.ts";
import { PrivateCa } from "../../support/privateCa.ts";

const text = page("docs/corporate-network.md");

test("the configuration that docs/corporate-network.md shows is one", async () => {
  const [, block = ""] = /^```yaml\n([^]*?)^```$/m.exec(text) ?? [];
  const { certificatePem } = await PrivateCa.create();
  const whole = block.replace(
    /-----BEGIN CERTIFICATE-----\n\s*…/,
    certificatePem.trim().replaceAll("\n", "\n  "),
  );
  const values = Object.entries(YAML.parse(whole) as object).map(
    ([key, value]): [string, unknown] => [key.replace("anchorhold:", ""), value],
  );
  expect(values.map(([key]) => key)).toEqual(["caBundle", "proxy", "ntp"]);
  expect(configWith(Object.fromEntries(values)).caBundle).toContain("BEGIN CERTIFICATE");
});

test("and so are those within its sentences, and the defaults that it names", () => {
  const inline = [...text.matchAll(/`anchorhold:(networkPolicies): (\{.*?\} \})`/g)];
  expect(inline).toHaveLength(2);
  for (const [, key = "", value = ""] of inline)
    expect(() => configWith({ [key]: YAML.parse(value) as unknown })).not.toThrow();
  const ntp = configWith({ ntp: { servers: ["a.test"] } }).ntp!;
  for (const name of ["maxTimeDelta", "requestTimeout", "period", "access"] as const)
    expect(text).toMatch(new RegExp(`\\| \`${name}\` +\\| \`?${ntp[name]}\`? +\\|`));
});
