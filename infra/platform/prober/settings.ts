import { serviceNames, logTarget } from "../../expectations.ts";
import type { LogRecord } from "../../trust/records.ts";
import type { ProbedLog, Settings } from "./program/settings.ts";

/** What the probe of a stack is told; everything but the stack's own records is known beforehand. */
export interface Told {
  prefix: string;
  namespace: string;
  /** Its service account. */
  account: string;
  /** The ConfigMap of what it remembers. */
  memory: string;
  /** Seconds. */
  every: number;
  timestampLife: number;
  search: boolean;
  /** The Rekor that takes entries. */
  rekorGeneration: number;
}

/** What it is told of the logs that are served, and of the mirror. */
export interface Learned {
  initialRoot: string;
  ctLogs: readonly LogRecord[];
  rekors: readonly LogRecord[];
}

/** `namespace/service:80` as a URL for pods of the cluster. */
function insideUrl(service: string): string {
  const [, namespace = "", name = "", port = ""] = /^(.+)\/(.+):(\d+)$/.exec(service) ?? [];
  return new URL(`http://${name}.${namespace}.svc:${port}`).origin;
}

/** The probe's settings: it asks Services, so what is in front of them is not in its way. */
export function settingsOf(told: Told, { initialRoot, ctLogs, rekors }: Learned): Settings {
  const { prefix, namespace } = told;
  const services = serviceNames(prefix);
  const logs = (kind: "ctLog" | "rekor", slug: string, records: readonly LogRecord[]) =>
    records.map((record): ProbedLog => {
      const target = logTarget(kind, prefix, record);
      return { ...target, name: `${slug}-${record.generation}`, url: insideUrl(target.service) };
    });
  return {
    stack: prefix,
    every: told.every,
    mirror: insideUrl(services.tuf),
    initialRoot,
    fulcio: insideUrl(services.fulcio),
    tsa: insideUrl(services.tsa),
    rekor: insideUrl(services.rekor(told.rekorGeneration)),
    logs: [...logs("ctLog", "ctlog", ctLogs), ...logs("rekor", "rekor", rekors)],
    search: told.search,
    timestampLife: told.timestampLife,
    identity: `https://kubernetes.io/namespaces/${namespace}/serviceaccounts/${told.account}`,
    memory: { namespace, name: told.memory },
  };
}
