import type { Evidence } from "../evidence.ts";
import { at, dataOf, refOf, title, type KubeObject } from "../kubernetes.ts";
import { tufNamespace } from "../../../infra/scaffold/names.ts";
import { isTimestampOf, readTimestamp } from "../../../infra/trust/tuf/timestamp.ts";
import { timestampKey } from "../../../infra/trust/tuf/timestampState.ts";
import { readLastSigning } from "../lastSigning.ts";
import { commands, type Fault } from "./fault.ts";
import { seen } from "./rules.ts";

/** What of TUF is signed anew as time passes, and who does it. */
export function timestamps(evidence: Evidence): Fault[] {
  return [...signedTimestamp(evidence), ...signedRoles(evidence), ...suspended(evidence)];
}

/** The ConfigMap that the signer writes: the one of the mirror whose data Pulumi leaves alone. */
export function timestampMap({ state, live }: Evidence): KubeObject | undefined {
  const found = state.objects.find(
    ({ expected }) =>
      expected.kind === "ConfigMap" &&
      expected["data"] === undefined &&
      expected.metadata.namespace === tufNamespace(state.outputs.prefix),
  );
  return found && live[title(refOf(found.expected))];
}

/** The CronJobs of the mirror: there is one, and it signs. */
export function signers({ state, live }: Evidence): KubeObject[] {
  const space = tufNamespace(state.outputs.prefix);
  return Object.values(live).filter(
    ({ kind, metadata }) => kind === "CronJob" && metadata.namespace === space,
  );
}

const common = {
  component: "tuf",
  command: commands.fix,
  repair: { type: "sign" },
  explains: ["serving", "content", "fresh"],
} as const;

function signedTimestamp(evidence: Evidence): Fault[] {
  const map = timestampMap(evidence);
  const { tuf, records, life } = evidence.state.outputs;
  const key = records.tufOnline[life.tufOnline.issues]?.timestampKeyPem;
  if (map === undefined || key === undefined) return [];
  const place = title(refOf(map));
  const { [timestampKey(tuf.version)]: text, last } = dataOf(map);
  const record =
    last !== undefined && readLastSigning(last) === undefined ? [unreadable(place, map)] : [];
  const own = text !== undefined && isTimestampOf(key, text);
  const timestamp = own ? readTimestamp(text) : undefined;
  if (timestamp?.snapshot.version !== tuf.version) {
    const what = text === undefined ? "is missing" : "is not what the recorded key has signed";
    const cause = `The timestamp of the published version ${tuf.version} ${what}.`;
    const users = [seen.refresh];
    return [...record, { ...common, id: "tuf-timestamp-changed", place, users, cause }];
  }
  if (timestamp.expires > evidence.now) return record;
  const since = timestamp.expires.toISOString();
  const users = [`expired at ${since}`, seen.refresh];
  const cause = `timestamp.json has expired at ${since}: nobody has signed it anew.`;
  return [...record, { ...common, id: "tuf-timestamp-expired", place, users, cause }];
}

/** The signer refuses to go on from what it cannot read; without the object it begins anew. */
function unreadable(place: string, map: KubeObject): Fault {
  return {
    ...common,
    id: "tuf-timestamp-record-changed",
    place,
    users: ["expired at"],
    cause:
      "What the object says of the last signing cannot be read, so nothing is signed any more.",
    repair: { type: "remake", object: refOf(map) },
  };
}

/** targets.json and snapshot.json, which a run of the program signs. */
function signedRoles({ state: { outputs }, now }: Evidence): Fault[] {
  const { expires } = outputs.tuf;
  if (Date.parse(expires) > now.getTime()) return [];
  return [
    {
      id: "tuf-metadata-expired",
      component: "tuf",
      place: outputs.mirror.url,
      users: [`expired at ${expires}`, seen.refresh],
      cause: "targets.json or snapshot.json has expired: pulumi up, which signs them, has not run.",
      command: commands.up,
      explains: ["content", "fresh"],
    },
  ];
}

function suspended(evidence: Evidence): Fault[] {
  return signers(evidence)
    .filter((cronJob) => at(cronJob, "spec", "suspend") === true)
    .map((cronJob) => ({
      id: "tuf-signer-suspended",
      component: "tuf",
      place: title(refOf(cronJob)),
      users: [],
      cause: "The CronJob that renews timestamp.json is suspended: it will expire.",
      command: commands.fix,
      repair: { type: "resume", object: refOf(cronJob) },
      explains: [],
    }));
}
