import { rootFingerprint } from "../../../infra/expectations.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { componentNamespace, trillianHost, trillianPorts } from "../../../infra/scaffold/names.ts";
import type { LogRecord } from "../../../infra/trust/records.ts";
import { keyFingerprint, short } from "../../verify/certificates.ts";
import type { CtLogEntryFacts, SecretFacts } from "../evidence.ts";
import { seen } from "./rules.ts";
import type { SecretFault } from "./fault.ts";

/** The CT log's Secret: one configuration for all its logs, their keys and the CAs that they take. */
export function ctLogSecret({ ctLog }: SecretFacts, outputs: StackOutputs): SecretFault[] {
  const { prefix, records, life } = outputs;
  if (ctLog === undefined || ctLog.logs.length === 0)
    return [config("ct_server's configuration cannot be read: it does not start with it.")];
  const backend = `${trillianHost(componentNamespace(prefix, "trillian"))}:${trillianPorts.rpc}`;
  const wanted = [...life.ctLog.accepts, ...life.ctLog.readOnly];
  const expected = wanted.flatMap((generation) => records.ctLog[generation] ?? []);
  const others = ctLog.logs.filter((log) => !expected.some(({ origin }) => origin === log.prefix));
  const roots = life.fulcioCa.accepts.flatMap((generation) => {
    const ca = records.fulcioCa[generation];
    return ca === undefined ? [] : [rootFingerprint(ca)];
  });
  return [
    ...(ctLog.backend === backend
      ? []
      : [config(`ct_server writes to ${ctLog.backend ?? "nothing"} instead of ${backend}.`)]),
    ...others.map(({ prefix: name }) => config(`ct_server serves a log "${name}" of no record.`)),
    ...rootFaults(ctLog.logs, roots),
    ...expected.flatMap((record) => {
      const own = ctLog.logs.find((entry) => entry.prefix === record.origin);
      // Where one log has another prefix, it is the one that is missing.
      const log = own ?? (others.length === 1 ? others[0] : undefined);
      const readOnly = life.ctLog.readOnly.includes(record.generation);
      return [
        ...(own === undefined ? [missingLog(record)] : []),
        ...(log === undefined ? [] : logFaults(log, record, readOnly)),
      ];
    }),
  ];
}

const config = (cause: string): SecretFault => ({
  id: "ctlog-config-changed",
  users: [seen.ctl],
  cause,
});

function missingLog({ generation, origin }: LogRecord): SecretFault {
  return config(
    `The log of generation ${generation} is not served under its prefix "${origin}": who writes to ` +
      "it gets HTTP 404.",
  );
}

/** Each log takes the same CAs, so one finding tells of all logs. */
function rootFaults(logs: readonly CtLogEntryFacts[], expected: readonly string[]): SecretFault[] {
  const missing = expected.filter((root) => logs.some((log) => !log.roots.includes(root)));
  const extra = logs.flatMap(({ roots }) => roots.filter((root) => !expected.includes(root)));
  if (missing.length > 0) {
    const cause = `The CT log does not accept the CA root ${short(missing)}, which is recorded.`;
    return [{ id: "ctlog-root-missing", users: [seen.ctl], cause }];
  }
  if (extra.length === 0) return [];
  const cause = `The CT log accepts the CA root ${short([...new Set(extra)])}, which no record knows.`;
  return [{ id: "ctlog-root-extra", users: [], cause }];
}

function logFaults(log: CtLogEntryFacts, record: LogRecord, readOnly: boolean): SecretFault[] {
  const key = keyFingerprint(record.publicKeyPem);
  const name = `of generation ${record.generation}`;
  const faults: (SecretFault | undefined)[] = [
    log.treeId === record.treeId
      ? undefined
      : {
          id: "ctlog-tree-changed",
          users: [seen.ctl],
          cause: `The log ${name} uses tree ${log.treeId}, the record says ${record.treeId}.`,
        },
    log.privateKey === key && log.publicKey === key
      ? undefined
      : {
          id: "ctlog-key-changed",
          users: [seen.ctl, seen.sct],
          cause: `The key of the log ${name} is not the recorded one, or cannot be read.`,
        },
    log.readOnly === readOnly
      ? undefined
      : {
          id: "ctlog-read-only",
          users: readOnly ? [] : [seen.ctl],
          cause: readOnly
            ? `The log ${name} is closed, but it takes certificates.`
            : `The log ${name} is in use, but it is read-only: it answers with HTTP 404.`,
        },
  ];
  return faults.filter((fault) => fault !== undefined);
}
