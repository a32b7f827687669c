import { readFileSync } from "node:fs";

/** The parts of an engine event that tests look at (pulumi/sdk/go/common/apitype/events.go). */
interface EngineEvent {
  resourcePreEvent?: { metadata: StepMetadata };
  resOpFailedEvent?: { metadata: StepMetadata };
  policyEvent?: { policyName: string; message: string; enforcementLevel: string };
  diagnosticEvent?: { urn?: string; message: string; severity: string; ephemeral?: boolean };
}

interface StepMetadata {
  op: string;
  urn: string;
  type: string;
  diffs?: string[];
  detailedDiff?: Record<string, { kind: string }>;
}

/** One planned or executed step, in the engine's order. */
export interface Step {
  op: string;
  urn: string;
  type: string;
  /** The last part of the URN. */
  name: string;
  /** Changed places with their kinds, where the plugin gave them. */
  diff: Record<string, string>;
}

export interface Diagnostic {
  severity: string;
  message: string;
  urn?: string;
}

/** What a rule of a policy pack says: its description, then the place. */
export interface Violation {
  rule: string;
  message: string;
  /** `mandatory` refuses, `advisory` warns. */
  level: string;
}

export interface EventLog {
  steps: Step[];
  failed: Step[];
  violations: Violation[];
  diagnostics: Diagnostic[];
}

function stepOf({ op, urn, type, detailedDiff }: StepMetadata): Step {
  const diff = Object.entries(detailedDiff ?? {}).map(([path, { kind }]) => [path, kind]);
  const name = urn.split("::").at(-1) ?? "";
  return { op, urn, type, name, diff: Object.fromEntries(diff) as Record<string, string> };
}

function violationOf(event: NonNullable<EngineEvent["policyEvent"]>): Violation {
  const message = withoutColour(event.message).trim();
  return { rule: event.policyName, message, level: event.enforcementLevel };
}

/** Takes the engine's colour marks out of a text: `<{%fg 1%}>`. */
export function withoutColour(text: string): string {
  return text.replaceAll(/<\{%[^%]*%\}>/g, "");
}

/** Reads the log that `pulumi … --event-log FILE` writes: one JSON object a line. */
export function readEventLog(path: string): EventLog {
  const events = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as EngineEvent);
  return {
    steps: events.flatMap(({ resourcePreEvent: event }) => (event ? [stepOf(event.metadata)] : [])),
    failed: events.flatMap(({ resOpFailedEvent: event }) =>
      event ? [stepOf(event.metadata)] : [],
    ),
    violations: events.flatMap(({ policyEvent: event }) =>
      event === undefined ? [] : [violationOf(event)],
    ),
    diagnostics: events.flatMap(({ diagnosticEvent: event }) =>
      event === undefined || event.ephemeral
        ? []
        : [
            {
              severity: event.severity,
              message: withoutColour(event.message).trim(),
              ...(event.urn && { urn: event.urn }),
            },
          ],
    ),
  };
}
