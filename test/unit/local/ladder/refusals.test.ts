// `npm start -- …` as a person types it, on a machine with nothing: one error, and nothing is made.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Machine } from "./support.ts";

let machine: Machine;
beforeAll(async () => {
  machine = await Machine.create();
});
afterAll(() => machine.close());

describe("npm start refuses, and makes nothing", () => {
  test.each<[string, RegExp]>([
    [
      "--pulumi path",
      /^--pulumi path: no pulumi on PATH\. Install Pulumi 3\.219 or newer .* leave out --pulumi; nothing was changed\.$/m,
    ],
    [
      "--pulumi download",
      /^--pulumi download: .*checksums\.txt answers 404\. .*ANCHORHOLD_DOWNLOADS\. Or leave out --pulumi/m,
    ],
    [
      "--plugins official",
      /^Pulumi, for the official plugins: no pulumi on PATH; .*404\. Install Pulumi .* Nothing was changed\.$/m,
    ],
    [
      "--pulumi build --plugins official",
      /^--pulumi build --plugins official: .*no language host .* Leave out one of the two\.$/m,
    ],
    [
      "--cluster kind",
      /^--cluster kind: no Docker or Podman on PATH\. Install Docker .* leave out --cluster/m,
    ],
    ["--chart path", /^--chart path: ANCHORHOLD_CHART names no folder\. Name the folder/m],
    [
      "--context a --cluster kind",
      /^--context a --cluster kind: one cluster, please\. Leave out one\.$/m,
    ],
    ["--cluster minikube", /argument 'minikube' is invalid\. Allowed choices are kind, node\./],
    ["--images pulled", /Allowed choices are published, built\./],
  ])("%s", async (switches, expected) => {
    const { code, stderr, stdout } = await machine.cli(["up", ...switches.split(" ")]);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect({ code, stdout, home: await machine.home() }).toEqual({ code: 1, stdout: "", home: [] });
  });
});

// No stand-in is reachable outside the local stacks, by whichever rung it is there.
describe("a stand-in for plugins serves no other stack", () => {
  beforeAll(async () => {
    await machine.program("pulumi", "echo v3.250.0");
    await machine.before({
      rungs: {
        pulumi: "path",
        plugins: "stand-in",
        cluster: "node",
        images: "built",
        chart: "stand-in",
      },
    });
  });

  test.each([
    "up -s production",
    "up -ys production",
    "up -fys=production",
    "preview --stack=review",
    "up --stack organization/anchorhold/production",
    "destroy -sacceptance",
    "up -s locality",
  ])("npm run pulumi -- %s", async (args) => {
    const { code, stderr } = await machine.cli(["pulumi", ...args.split(" ")]);
    expect(stderr).toMatch(/^Stack \S+: the stand-ins .* serve the local stack alone/m);
    expect(code).toBe(1);
  });

  test("nor one that PULUMI_STACK names", async () => {
    const { code, stderr } = await machine.cli(["pulumi", "up"], { PULUMI_STACK: "production" });
    expect(stderr).toMatch(/^Stack production: the stand-ins/m);
    expect(code).toBe(1);
  });
});
