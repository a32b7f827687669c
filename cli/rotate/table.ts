import type { KindLife } from "../../infra/outputs.ts";
import type { Standing, Step } from "./standing.ts";
import { inWords, localTime, zoneName } from "./time.ts";

const heads = ["generation", "state", "trusted from", "published", "used", "trusted until"];

/** Where each generation that was deployed stands, one line each, in this machine's time. */
export function toTable({ life, records, now }: Standing): string {
  const rows = Object.entries(life.states).map(([number, state]) => {
    const published = life.published[number]?.at;
    const start = records[number]?.start;
    const end = life.ends[number];
    return [
      ...[number, state, start === undefined ? "–" : localTime(start)],
      published === undefined ? "not yet" : localTime(published),
      usedText(life, Number(number)),
      end === undefined ? "no end" : localTime(end),
    ];
  });
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [heads, ...rows].map(line).join("\n") + `\n(times in ${zoneName(now)})`;
}

function usedText({ switches }: KindLife, number: number): string {
  const last = switches.findLastIndex(({ generation }) => generation === number);
  const [turnedTo, turnedAway] = [switches[last], switches[last + 1]];
  if (turnedTo === undefined) return "never";
  return turnedAway === undefined
    ? `since ${localTime(turnedTo.at)}`
    : `until ${localTime(turnedAway.at)}`;
}

/** The next step and, if it has to wait, from when on it is allowed and how long that is. */
export function stepText(step: Step, now: Date): string {
  if (step.do !== "wait") return `Next: ${step.what}`;
  const left = inWords(step.until.getTime() - now.getTime());
  const from = `${localTime(step.until)} ${zoneName(step.until)}`;
  return `Next: ${step.what}\n      allowed from ${from} on, in ${left}`;
}
