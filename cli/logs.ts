import { logTarget } from "../infra/expectations.ts";
import type { NamedLog } from "../infra/observe/expectation.ts";
import type { LogTarget } from "../infra/observe/logs.ts";
import { slugs, type Memory } from "../infra/trust/memory.ts";
import type { LogRecord } from "../infra/trust/records.ts";

/** A generation of a log, by the name that its checkpoints have. */
export interface KnownLog {
  kind: LogTarget["kind"];
  /** Such as `rekor-1`. */
  name: string;
  generation: number;
  record: LogRecord;
  /** It has a private key, so it may be served. */
  hasKey: boolean;
}

/** Every log that the stack has ever had. */
export function logsOf({ kinds }: Memory): KnownLog[] {
  return (["ctLog", "rekor"] as const).flatMap((kind) => {
    const { records, retired, distrusted } = kinds[kind];
    return Object.values(records).map((record): KnownLog => {
      const { generation } = record;
      const hasKey = !(generation in retired) && !(generation in distrusted);
      return { kind, name: `${slugs[kind]}-${generation}`, generation, record, hasKey };
    });
  });
}

/** Where the logs that may be served are asked inside the cluster. */
export function targetsOf(logs: readonly KnownLog[], prefix: string): NamedLog[] {
  return logs
    .filter(({ hasKey }) => hasKey)
    .map(({ kind, name, record }) => ({ name, ...logTarget(kind, prefix, record) }));
}
