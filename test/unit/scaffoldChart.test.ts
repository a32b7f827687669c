import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { UserError } from "../../infra/errors.ts";
import { chartVersion } from "../../infra/scaffold/chart.ts";

const repository = "https://charts.example.com";
const folder = mkdtempSync(join(tmpdir(), "chart-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function refusal(chart: Parameters<typeof chartVersion>[0]): string {
  try {
    chartVersion(chart);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error("the chart was accepted");
}

function folderWith(chartYaml: string): { path: string } {
  writeFileSync(join(folder, "Chart.yaml"), chartYaml);
  return { path: folder };
}

describe("the chart's version", () => {
  test("is taken from the repository's pin and from a folder", () => {
    expect(chartVersion({ repository, version: "0.6.113" })).toBe("0.6.113");
    expect(chartVersion(folderWith("name: scaffold\nversion: 0.6.113\n"))).toBe("0.6.113");
  });

  test("the stand-in has it", () => {
    const path = resolve(import.meta.dirname, "../../local/chart/scaffold");
    expect(chartVersion({ path })).toBe("0.6.113");
  });

  test.each([
    [() => refusal({ repository, version: "0.6.114" })],
    [() => refusal(folderWith("name: scaffold\nversion: 0.6.114\n"))],
  ])("without values is refused: found, supported, what to do", (refused) => {
    expect(refused()).toMatch(/scaffold 0\.6\.114.*0\.6\.113.*Set anchorhold:chart/s);
  });

  test("another chart is refused by its name", () => {
    expect(refusal(folderWith("name: fulcio\nversion: 2.11.0\n"))).toContain('is "fulcio"');
  });

  test.each(["- a\n", "", "a: [", "just text"])("a Chart.yaml %j is refused", (text) => {
    expect(refusal(folderWith(text))).toMatch(/Chart\.yaml that is no YAML mapping|is "undefined"/);
  });

  test("a missing folder is refused with its place and the command that mends it", () => {
    const said = refusal({ path: "./no/such/chart" });
    expect(said).toMatch(/no\/such\/chart\/Chart\.yaml: ENOENT/);
    expect(said).toContain("helm pull --untar --version 0.6.113");
  });
});
