import { InvalidArgumentError } from "commander";

// Parsers of what stands on the command line; each throws an error that commander ends with.

/** A generation's number. */
export function generation(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("Give a generation's number.");
  return Number(text);
}

/** RFC 3339 with its zone: a local time would be another one in a pipeline. */
export function time(text: string): Date {
  const value = new Date(text);
  if (!/T.*(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(value.getTime()))
    throw new InvalidArgumentError("Give a time with its zone, such as 2026-05-01T00:00:00Z.");
  return value;
}

/** Whole seconds, an hour at most. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 3600) {
    throw new InvalidArgumentError("Give whole seconds, 1 to 3600.");
  }
  return value;
}

/** Another value of an option that may be repeated. */
export const also = (text: string, before: readonly string[] = []): string[] => [...before, text];
