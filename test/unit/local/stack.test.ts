import { describe, expect, test } from "vitest";
import { imageProblems, publishedImages } from "../../../infra/scaffold/images.ts";
import type { ImageName, LocalImage } from "../../../local/images/index.ts";
import { stackFile } from "../../../local/stack/environment.ts";
import { pulumiYaml } from "../../../local/stack/stackFile.ts";
import { failureHint } from "../../../local/stack/hints.ts";
import { localImageReferences } from "../../../local/stack/images.ts";
import { refuseOtherStacks, withStackFile } from "../../../local/stack/stackArguments.ts";

describe("pulumi's arguments", () => {
  test.each([
    [["preview", "--diff"]],
    [["up", "--yes"]],
    [["refresh"]],
    [["config", "set", "anchorhold:prefix", "x"]],
    [["up", "--stack", "local"]],
  ])("%j reads the deployed configuration", (args) => {
    expect(withStackFile(args)).toEqual([...args, "--config-file", stackFile]);
  });

  test.each([
    [["stack", "output", "--json"]],
    [["cancel", "--yes"]],
    [["preview", "--config-file", "other.yaml"]],
    [["preview", "--stack", "review"]],
    [["preview", "-s=review"]],
    [["preview", "-sreview"]],
    [[]],
  ])("%j stays as it is", (args) => {
    expect(withStackFile(args)).toEqual(args);
  });
});

describe("stand-ins", () => {
  const standIns = { kind: "standIns", pulumi: "/p", helm: "/h" } as const;

  test.each([
    [["up", "--stack", "production"]],
    [["preview", "-s=review"]],
    [["up", "-s", "x"]],
    [["up", "-sx"]],
    [["up", "-ys", "production"]],
    [["up", "-fys=production"]],
    [["up", "--stack", "organization/anchorhold/production"]],
    [["up", "-s", "locality"]],
  ])("are refused for %j", (args) =>
    expect(() => refuseOtherStacks(standIns, args)).toThrow(/local stack alone/),
  );

  test("serve the local stack, and official plugins serve any", () => {
    refuseOtherStacks(standIns, ["up"]);
    refuseOtherStacks(standIns, ["up", "--stack", "local"]);
    refuseOtherStacks(standIns, ["up", "-s", "organization/anchorhold/local-second"]);
    refuseOtherStacks(standIns, ["up", "-m", "as production", "-c", "s=production"]);
    refuseOtherStacks({ kind: "official" }, ["up", "--stack", "production"]);
  });
});

describe("after a failed update", () => {
  test.each([
    ["error: get stack secrets manager: incorrect passphrase", /unset PULUMI_CONFIG_PASSPHRASE/],
    ["error: the stack is currently locked by 1 lock(s).", /npm run anchorhold -- recover/],
    [
      "error: The resource already exists in the cluster. Delete it, import it",
      /npm run anchorhold -- recover/,
    ],
    [
      "error: another operation (install/upgrade/rollback) is in progress",
      /npm run anchorhold -- recover/,
    ],
    ["error: update failed", /^Mend that and run `npm start` again/],
  ])("%s: says what mends it", (stderr, expected) => {
    expect(failureHint(stderr)).toMatch(expected);
  });
});

test("every image that the program wants is built here, pinned by content", () => {
  const names: ImageName[] = [
    "trillian-log-server",
    "trillian-log-signer",
    "ct-server",
    "fulcio",
    "rekor",
    "timestamp-server",
    "coredns",
    "services",
    "node",
    "pause",
  ];
  const version = "0123456789abcdef0123456789abcdef";
  const images = Object.fromEntries(
    names.map((name) => {
      const repository = `anchorhold/${name}`;
      const reference = `localhost/${repository}:${version}`;
      return [name, { name, registry: "localhost", repository, version, reference, archive: "" }];
    }),
  ) as Record<ImageName, LocalImage>;
  const references = localImageReferences(images);
  expect(Object.keys(references).sort()).toEqual(Object.keys(publishedImages).sort());
  expect(imageProblems(references)).toEqual([]);
});

test("times stay text for Pulumi, which reads YAML 1.1", () => {
  const lines = { "1": { distrusted: "2026-05-01T00:00:00Z" }, "2": "active" };
  expect(pulumiYaml({ leadTime: "5m", lines })).toBe(
    'leadTime: 5m\nlines:\n  "1":\n    distrusted: "2026-05-01T00:00:00Z"\n  "2": active\n',
  );
});
