import { describe, expect, test } from "vitest";
import { generatorsOff } from "../../../policies/rules/generators.ts";
import { release, shipped, violations } from "./support.ts";

interface Values {
  [key: string]: unknown;
}

/** A copy with the value at a path changed. */
function changed(values: object, path: string, to: unknown): object {
  const copy = structuredClone(values) as Values;
  const keys = path.split(".");
  const parent = keys.slice(0, -1).reduce((here, key) => (here[key] ??= {}) as Values, copy);
  parent[keys.at(-1)!] = to;
  return copy;
}

const check = (values: object) => violations(generatorsOff, release(values));
const sampleWith = (part: string) =>
  shipped.find(([, { values }]) => (values[part] as { enabled: boolean }).enabled)![1].values;

describe("generators-off", () => {
  test.each(shipped)("the values of %s have none", async (_name, { values }) => {
    expect(await check(values)).toEqual([]);
  });

  test.each([
    ["fulcio", "fulcio.createcerts.enabled"],
    ["ctlog", "ctlog.createtree.enabled"],
    ["ctlog", "ctlog.createctconfig.enabled"],
    ["trillian", "trillian.createdb.enabled"],
    ["tsa", "tuf.enabled"],
    ["tsa", "copySecretJob.enabled"],
    ["tsa", "secrets.rekor.create"],
  ])("of %s, %s is refused when it is on or not said", async (part, path) => {
    const expected = [`Release one: values.${path} is not false`];
    expect(await check(changed(sampleWith(part), path, true))).toEqual(expected);
    expect(await check(changed(sampleWith(part), path, undefined))).toEqual(expected);
  });

  test.each([
    ["rekor", "rekor.server.signer", ["memory", "tink", undefined], "gcpkms://projects/p"],
    ["tsa", "tsa.server.args.signer", ["memory", "tink", undefined], "kms"],
    ["fulcio", "fulcio.server.args.certificateAuthority", ["ephemeralca", undefined], "kmsca"],
  ])("the signer of %s keeps its key", async (part, path, lost, kept) => {
    for (const signer of lost)
      expect(await check(changed(sampleWith(part), path, signer))).toEqual([
        `Release one: values.${path} names no signer that keeps its key`,
      ]);
    expect(await check(changed(sampleWith(part), path, kept))).toEqual([]);
  });

  test("a Release that says nothing has everything on", async () => {
    expect((await check({})).length).toBeGreaterThan(10);
  });

  test("another chart is not looked at", async () => {
    expect(await violations(generatorsOff, release({}, { chart: "./other" }))).toEqual([]);
  });
});
