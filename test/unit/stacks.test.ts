import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { differences, differingKeys, markdown, tableAfter } from "../support/differences.ts";
import { configIn, ownConfig, parsed, shippedText, stacks } from "../support/stacks.ts";

const elsewhere = stacks.filter((stack) => stack !== "local");

/** What the user reads who deploys a stack file as it is. */
function refusal(stack: string, deploy: () => unknown): string {
  try {
    deploy();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`${stack} was accepted`);
}

describe("the shipped stacks", () => {
  test("differ as docs/environments.md says", () => {
    const docs = readFileSync(new URL("../../docs/environments.md", import.meta.url), "utf8");
    console.log(markdown(differences()));
    expect(tableAfter(docs, "<!-- how the stacks differ -->")).toEqual(differences());
  });

  test("acceptance is production but for names and sizes", () => {
    const parts = differingKeys(["acceptance", "production"]).map((key) => key.split(".")[0]);
    expect([...new Set(parts)]).toEqual([
      "database",
      "exposure",
      "prefix",
      "quota",
      "replicas",
      "resources",
      "searchIndex",
      "subjects",
    ]);
    const exposure = differingKeys(["acceptance", "production"]).filter((key) =>
      key.startsWith("exposure."),
    );
    for (const key of exposure) expect(key).toMatch(/^exposure\.hosts\./);
  });

  test.each(elsewhere)("%s is refused until its placeholders are replaced", (stack) => {
    const file = `Pulumi.${stack}.yaml`;
    const said = refusal(stack, () => parsed(configIn(shippedText(stack)), file, stack));
    const places = said.match(
      /^ {2}- anchorhold:\S+: \S+ is a placeholder: write your own name$/gm,
    );
    // Two subjects, the mirror, five hosts, two issuers.
    expect(places).toHaveLength(10);
    expect(said.split("\n")).toHaveLength(11);
    expect(parsed(ownConfig(stack), file, stack).prefix).toBe(`sigstore-${stack}`);
  });

  test.each(elsewhere)("%s says before its configuration what must be edited", (stack) => {
    const [header] = shippedText(stack).split("config:\n");
    for (const part of ["subjects", "mirror", "exposure.hosts", "issuers", "example.com"])
      expect(header).toContain(part);
  });

  test("local can be deployed as it is", () => {
    const config = configIn(shippedText("local"));
    expect(parsed(config, "Pulumi.local.yaml", "local").prefix).toBe("anchorhold-local");
  });
});
