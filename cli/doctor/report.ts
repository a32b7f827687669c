import type { Fault } from "./diagnose/fault.ts";
import type { Warning } from "./diagnose/warnings.ts";

/** What doctor tells: what it found, and what it did with `--fix`. */
export interface Report {
  faults: readonly Fault[];
  warnings: readonly Warning[];
  done: readonly string[];
  refused: readonly string[];
}

/** For pipelines; fields are only ever added. */
export function toJson({ faults, warnings, done, refused }: Report): string {
  const plain = faults.map(({ id, component, place, users, cause, command, repair }) => ({
    id,
    component,
    place,
    users,
    cause,
    command,
    fixable: repair !== undefined,
  }));
  const summary = {
    healthy: faults.length === 0,
    faults: faults.length,
    warnings: warnings.length,
  };
  return JSON.stringify({ faults: plain, warnings, done, refused, summary }, null, 2);
}

/** For people: each fault with what users see, why, and the one command that mends it. */
export function toText({ faults, warnings, done, refused }: Report): string {
  return [
    ...done.map((line) => `done   ${line}`),
    ...refused.map((line) => `left   ${line}`),
    ...faults.flatMap(faultLines),
    ...warnings.flatMap(({ place, text, command }) => [
      `warn   ${place}: ${text}`,
      `       to do:     ${command}`,
    ]),
    closing(faults.length, warnings.length),
  ].join("\n");
}

function faultLines({ id, place, users, cause, command }: Fault): string[] {
  return [
    `FAULT  ${id}: ${place}`,
    `       users see: ${users.map((text) => `"${text}"`).join(", ") || "nothing yet"}`,
    `       cause:     ${cause}`,
    `       mend:      ${command}`,
  ];
}

function closing(faults: number, warnings: number): string {
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const found = `${count(faults, "fault")}, ${count(warnings, "warning")}`;
  return faults === 0 ? `Healthy: ${found}.` : `NOT healthy: ${found}.`;
}
