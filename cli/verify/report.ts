import type { Finding, Result } from "./finding.ts";

export interface Summary {
  passed: boolean;
  ok: number;
  warn: number;
  fail: number;
}

export function summarize(findings: readonly Finding[]): Summary {
  const count = (result: Result) => findings.filter((entry) => entry.result === result).length;
  return { passed: count("fail") === 0, ok: count("ok"), warn: count("warn"), fail: count("fail") };
}

/** `{ "findings": [...], "summary": {...} }`: for pipelines; fields are only ever added. */
export function toJson(findings: readonly Finding[]): string {
  return JSON.stringify({ findings, summary: summarize(findings) }, null, 2);
}

const label: Record<Result, string> = { ok: "ok", warn: "warn", fail: "FAIL" };

/** A table for people: one line a check, and what to do below each that is not ok. */
export function toTable(findings: readonly Finding[]): string {
  const service = width(findings.map((entry) => entry.service));
  const check = width(findings.map((entry) => entry.check));
  const lines = findings.flatMap((entry) => {
    const start = `${label[entry.result].padEnd(4)}  ${entry.service.padEnd(service)}  `;
    const indent = " ".repeat(start.length + check + 2);
    return [
      `${start}${entry.check.padEnd(check)}  ${entry.seen}`,
      ...(entry.expected === undefined ? [] : [`${indent}expected: ${entry.expected}`]),
      ...(entry.hint === undefined ? [] : [`${indent}to do:    ${entry.hint}`]),
    ];
  });
  return [...lines, "", closing(summarize(findings))].join("\n");
}

function width(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

function closing({ passed, ok, warn, fail }: Summary): string {
  const counts = `${ok} ok, ${warn} ${warn === 1 ? "warning" : "warnings"}, ${fail} failed`;
  return `${passed ? "Verified" : "NOT verified"}: ${counts}.`;
}
