import type { GenerationNames, Makers, Operation, OperationKind } from "./operation.ts";

/** A span of time in ms since 1970; an operation belongs to the one that it ended in. */
export interface Span {
  from: number;
  to: number;
}

export interface KindReport {
  ok: number;
  failed: number;
  /** The longest time without a success, also where it only began or ended in the span; ms. */
  longestGap: number;
  /** Of the successes, in ms; 0 when there is none. */
  p50: number;
  p95: number;
}

export interface LoadReport extends Span, Record<OperationKind, KindReport> {
  /** Signatures that succeeded, by who made them: generation, or the bare id if it is unknown. */
  signaturesBy: Record<keyof Makers, Record<string, number>>;
  /** `time worker: what it said`, oldest first. */
  failures: string[];
}

/** What happened in a span. */
export function summarise(
  operations: readonly Operation[],
  span: Span,
  names: GenerationNames,
): LoadReport {
  const inside = within(operations, span);
  const signatures = inside.filter(({ kind, ok }) => kind === "sign" && ok);
  const by = (field: keyof Makers) =>
    count(signatures.map((one) => names[field].get(one[field] ?? "") ?? one[field] ?? "none"));
  return {
    ...span,
    sign: summariseKind("sign", operations, span),
    verify: summariseKind("verify", operations, span),
    signaturesBy: { ca: by("ca"), ctLog: by("ctLog"), rekor: by("rekor") },
    failures: inside.filter(({ ok }) => !ok).map(describeFailure),
  };
}

/** The operations that ended in the span, its end left out. */
export function within(operations: readonly Operation[], { from, to }: Span): Operation[] {
  return operations.filter(({ end }) => end >= from && end < to);
}

function summariseKind(kind: OperationKind, all: readonly Operation[], span: Span): KindReport {
  const mine = all.filter((operation) => operation.kind === kind);
  const inside = within(mine, span);
  const good = inside.filter(({ ok }) => ok);
  const times = good.map(({ start, end }) => end - start).sort((a, b) => a - b);
  const successes = mine.filter(({ ok }) => ok).map(({ end }) => end);
  return {
    ok: good.length,
    failed: inside.length - good.length,
    longestGap: longestGap(successes, span),
    p50: percentile(times, 0.5),
    p95: percentile(times, 0.95),
  };
}

/** The neighbours on both sides count too: an outage across a span's edge is not cut in two. */
export function longestGap(times: readonly number[], { from, to }: Span): number {
  const before = times.filter((time) => time < from).reduce((a, b) => Math.max(a, b), -Infinity);
  const after = times.filter((time) => time >= to).reduce((a, b) => Math.min(a, b), Infinity);
  const points = [
    before === -Infinity ? from : before,
    ...times.filter((time) => time >= from && time < to).sort((a, b) => a - b),
    after === Infinity ? to : after,
  ];
  return points.slice(1).reduce((gap, time, index) => Math.max(gap, time - points[index]!), 0);
}

/** Nearest rank, of sorted values. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function count(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

function describeFailure({ worker, client, kind, bundle, start, end, error }: Operation): string {
  const time = new Date(end).toISOString().slice(11, 23);
  const what = [kind, bundle].filter((word) => word !== undefined).join(" ");
  return `${time} ${worker} (${client}, ${what}, ${end - start} ms): ${error ?? ""}`;
}

/** The phases as a Markdown table, a line for each. */
export function renderPhases(phases: readonly (LoadReport & { name: string })[]): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  const counts = (by: Record<string, number>) =>
    Object.entries(by)
      .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
      .map(([generation, n]) => `${generation}: ${n}`)
      .join(", ") || "none";
  const head = [
    ...["phase", "s", "signed", "failed", "longest gap (s)", "p50 / p95 (ms)"],
    ...["verified", "failed", "longest gap (s)", "by CA", "by CT log"],
  ];
  const rows = phases.map(({ name, from, to, sign, verify, signaturesBy }) => [
    ...[name, seconds(to - from), sign.ok, sign.failed, seconds(sign.longestGap)],
    ...[`${sign.p50} / ${sign.p95}`, verify.ok, verify.failed, seconds(verify.longestGap)],
    ...[counts(signaturesBy.ca), counts(signaturesBy.ctLog)],
  ]);
  const rule = head.map((title) => (/^(phase|by)/.test(title) ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
