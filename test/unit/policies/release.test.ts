import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { renderingOf } from "../../../policies/release.ts";
import { imagesPinned } from "../../../policies/rules/images.ts";
import { budgetsSet } from "../../../policies/rules/servers.ts";
import { release, violations } from "./support.ts";

const base = {
  type: "",
  name: "one-release",
  stack: "local",
  opts: { protect: true, ignoreChanges: [] },
};
const rendering = (props: object) => renderingOf({ ...base, props: props as never });

describe("how a Release renders", () => {
  test("from a folder, with its values on standard input", () => {
    const values = { a: "secret-looking" };
    const found = rendering({ chart: "./chart", name: "one", namespace: "ns", values });
    expect(found).toEqual({
      args: ["template", "one", "./chart", "--namespace", "ns", "--values", "-"],
      stdin: JSON.stringify(values),
    });
  });

  test("from a repository, with its version", () => {
    const repositoryOpts = { repo: "https://charts.example.com" };
    expect(rendering({ chart: "scaffold", version: "0.6.113", repositoryOpts })).toMatchObject({
      args: [
        "template",
        "one-release",
        "scaffold",
        "--repo",
        repositoryOpts.repo,
        "--version",
        "0.6.113",
        "--values",
        "-",
      ],
    });
  });

  test.each([
    [{}, "names no chart"],
    [{ chart: "x", valueYamlFiles: [] }, "values are in files"],
    [{ chart: "x", repositoryOpts: { password: "hunter2" } }, "wants a password"],
  ])("%j does not", (props, expected) => {
    expect(rendering(props)).toContain(expected);
  });
});

describe("a Release that cannot be rendered is refused by every rule over objects", () => {
  test.each([
    ["no Helm", { config: { helm: "/no/such/helm" } }, {}, "/no/such/helm does not run"],
    ["Helm fails", { config: { helm: "false" } }, {}, "helm template ended with 1"],
    ["Helm says nonsense", { config: { helm: "echo" } }, {}, "refuses what the chart renders"],
    [
      "a foreign post-renderer",
      {},
      { postrender: "./other.sh" },
      "is not the one beside this pack",
    ],
    [
      "another version of it",
      {},
      { postrender: "./infra/scaffold/postrender.ts" },
      "beside this pack",
    ],
  ])("%s", async (_what, options, more, expected) => {
    for (const policy of [imagesPinned, budgetsSet]) {
      const said = await violations(policy, release({ password: "hunter2" }, more), options);
      expect(said).toEqual([expect.stringContaining("Release one cannot be checked: ")]);
      expect(said[0]).toContain(expected);
      expect(said[0]).not.toContain("hunter2");
    }
  });
});

describe("disruption-budgets", () => {
  const folder = mkdtempSync(join(tmpdir(), "anchorhold-helm-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const labels = { "app.kubernetes.io/name": "fulcio" };
  const server = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "fulcio-server", labels },
    spec: { replicas: 2, template: { metadata: { labels }, spec: { containers: [] } } },
  };
  const budget = (name: string, spec: object) => ({
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name },
    spec: { selector: { matchLabels: { "app.kubernetes.io/name": "fulcio" } }, ...spec },
  });

  /** A Helm that renders these objects, whatever it is given. */
  function renders(name: string, ...objects: object[]) {
    const helm = join(folder, name);
    const documents = objects.map((object) => `---\n${JSON.stringify(object)}\n`).join("");
    writeFileSync(helm, `#!/bin/sh\ncat <<'END'\n${documents}END\n`, { mode: 0o755 });
    return violations(budgetsSet, release({}), { config: { helm } });
  }
  const missing = [
    "Release one: apps/v1 Deployment (no namespace)/fulcio-server has no disruption budget",
  ];

  test("a budget for the server's pods is found in the Release", async () => {
    expect(await renders("good", server, budget("fulcio", { maxUnavailable: 1 }))).toEqual([]);
    expect(await renders("none", server)).toEqual(missing);
  });

  test("one for other pods, for none, or that lets no node be drained, is none", async () => {
    const other = budget("other", { selector: { matchLabels: { app: "rekor" } } });
    expect(await renders("other", server, other)).toEqual(missing);
    expect(await renders("empty", server, budget("empty", { selector: {} }))).toEqual(missing);
    expect(await renders("stuck", server, budget("stuck", { maxUnavailable: 0 }))).toEqual(missing);
  });
});
