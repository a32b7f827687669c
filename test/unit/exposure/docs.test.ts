import { readFileSync } from "node:fs";
import * as YAML from "yaml";
import { expect, test } from "vitest";
import { exposureProblems, exposureSchema } from "../../../infra/config/exposure.ts";
import { hosts } from "../../support/tlsSecret.ts";

const docs = new URL("../../../docs/", import.meta.url);

/** The indented blocks of a document, as YAML. */
function blocks(file: string): Record<string, unknown>[] {
  const text = readFileSync(new URL(file, docs), "utf8");
  return text
    .split(/\n(?! {4}|\n)/)
    .flatMap((part) => /\n\n((?: {4}.*(?:\n|$))+)/.exec(`\n\n${part}`)?.[1] ?? [])
    .filter((block) => /^ {4}[\w:]+:( |\n)/.test(block))
    .map((block) => YAML.parse(block) as Record<string, unknown>);
}

/** What the docs show for the stack file, with the hosts that an excerpt leaves out. */
const shown = ["exposure.md", "openshift.md"].flatMap((file) =>
  blocks(file).flatMap((block): [string, unknown][] => {
    const whole = block["anchorhold:exposure"];
    if (whole !== undefined) return [[file, whole]];
    if ("tls" in block || "grpcAnnotations" in block) {
      const tls = { secret: "certificates/sigstore-tls" };
      return [[file, { type: "ingress", hosts, tls, ...block }]];
    }
    return [];
  }),
);

test("the docs show an Ingress, excerpts of it, node ports and Routes", () => {
  const types = shown.map(([file, value]) => `${file} ${(value as { type: string }).type}`);
  expect(types).toEqual([
    "exposure.md ingress",
    "exposure.md ingress",
    "exposure.md ingress",
    "exposure.md nodePort",
    "openshift.md route",
    "openshift.md route",
  ]);
});

test.each(shown)("%s: what it shows can be configured", (_file, value) => {
  const around = { platform: "openshift", rekorGenerations: ["1"] } as const;
  expect(exposureProblems(exposureSchema.parse(value), around)).toEqual([]);
});
