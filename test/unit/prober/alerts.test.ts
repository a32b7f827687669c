// The rules, the dashboard and docs/alerts.md hold together, and speak of metrics that the probe has.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { dashboard } from "../../../infra/platform/monitoring/dashboard.ts";
import { alertRules, ruleGroups, runbook } from "../../../infra/platform/monitoring/rules.ts";
import { metrics } from "../../../infra/platform/prober/program/metrics.ts";
import { parseMetrics } from "../../support/recording.ts";
import { lifeWith, stack } from "../../support/probeLife.ts";
import { stringify } from "yaml";

const rules = alertRules(stack);
const page = readFileSync(new URL("../../../docs/alerts.md", import.meta.url), "utf8");

/** Metrics and their labels as a probe shows them that has made a round. */
const shown = new Map<string, Set<string>>();
for (const { series } of lifeWith({}, new Date(), 1).series()) {
  const [, name = "", labels = ""] = /^(\w+)\{(.*)\}$/.exec(series) ?? [];
  const names = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label!);
  shown.set(name, new Set([...(shown.get(name) ?? []), ...names]));
}

/** `metric{a="…", b=~"…"}` in PromQL. */
function used(expr: string): { name: string; labels: string[] }[] {
  return [...expr.matchAll(/(anchorhold_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = "", inside = ""]) => ({
      name,
      labels: [...inside.matchAll(/(\w+)\s*=~?\s*"/g)].map(([, label]) => label!),
    }),
  );
}

function holds(exprs: readonly string[]): void {
  for (const expr of exprs)
    for (const { name, labels } of used(expr)) {
      expect(shown.has(name), `${name} in ${expr}`).toBe(true);
      expect([...shown.get(name)!]).toEqual(expect.arrayContaining(labels));
    }
}

test("a probe that has made a round shows each metric that there is", () => {
  expect([...shown.keys()].sort()).toEqual(Object.keys(metrics).sort());
  expect(parseMetrics("a 1\n").get("a")).toBe(1);
});

describe("the rules", () => {
  test("use metrics and labels of the probe, of their own stack alone", () => {
    expect(rules.length).toBeGreaterThan(10);
    holds(rules.map(({ expr }) => expr));
    for (const { expr } of rules)
      for (const { labels, name } of used(expr)) expect(labels, name).toContain("stack");
  });

  test("lead each to its entry in docs/alerts.md, which has no others", () => {
    const headings = [...page.matchAll(/^### (Anchorhold\w+)$/gm)].map(([, name]) => name);
    expect(headings.sort()).toEqual(rules.map(({ alert }) => alert).sort());
    for (const { alert, annotations } of rules) expect(annotations.runbook).toBe(runbook(alert));
  });

  test("are the file for who has no Prometheus operator", async () => {
    const head =
      "# Alert rules of the stack with the prefix `sigstore`: docs/alerts.md. Written by a test.\n";
    const file = head + stringify(ruleGroups(stack), { lineWidth: 0 });
    await expect(file).toMatchFileSnapshot("../../../docs/monitoring/alerts.yaml");
  });
});

describe.each(rules.map(({ alert }) => alert))("docs/alerts.md: %s", (alert) => {
  const entry = page.split(/^### /m).find((part) => part.startsWith(`${alert}\n`)) ?? "";

  test("says what it says, the cause, and a command", () => {
    for (const part of ["**Says:**", "**Cause:**", "**Do:**"]) expect(entry).toContain(part);
    const what = entry.split("**Do:**")[1] ?? "";
    expect(what).toMatch(/`(anchorhold|kubectl|pulumi) [^`]+`/);
  });
});

describe("the dashboard", () => {
  const panels = (JSON.parse(dashboard()) as { panels: Panel[] }).panels;

  test("uses metrics and labels of the probe, in panels that do not overlap", () => {
    holds(panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)));
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  test("is the file to import by hand", async () => {
    await expect(dashboard()).toMatchFileSnapshot("../../../docs/monitoring/dashboard.json");
  });
});

interface Panel {
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string }[];
}
