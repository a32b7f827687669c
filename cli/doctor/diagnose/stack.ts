import type { StackOutputs } from "../../../infra/outputs.ts";
import { slugs } from "../../../infra/trust/memory.ts";
import type { Kind } from "../../../infra/trust/generations.ts";
import type { Evidence } from "../evidence.ts";
import { dataOf, refOf, title } from "../kubernetes.ts";
import { readLastSigning } from "../lastSigning.ts";
import { commands, type Fault } from "./fault.ts";
import { timestampMap } from "./timestamps.ts";

/** The lock of a process that has ended keeps every update out. */
export function leftLocks({ locks }: Evidence): Fault[] {
  return locks
    .filter(({ owner }) => owner === "dead")
    .map(({ why }) => ({
      id: "lock-left",
      component: "stack",
      place: "the stack's lock",
      users: ["the stack is currently locked by 1 lock(s)"],
      cause: `An update was killed and has left its lock: ${why}.`,
      command: commands.recover,
      explains: [],
    }));
}

/** An update that was killed leaves what it had begun in the state. */
export function unfinishedUpdate({ state: { pending } }: Evidence): Fault[] {
  const [first] = pending;
  if (first === undefined) return [];
  return [
    {
      id: "update-unfinished",
      component: "stack",
      place: "the stack's state",
      users: ["the current deployment has 1 resource(s) with pending operations"],
      cause: `An update was killed while it was ${first}.`,
      command: commands.recover,
      explains: [],
    },
  ];
}

/** The cluster has been served by a newer state than this one. */
export function oldState(evidence: Evidence): Fault[] {
  const { outputs, pending } = evidence.state;
  const map = timestampMap(evidence);
  const last = map && readLastSigning(dataOf(map)["last"] ?? "");
  if (map === undefined || last === undefined || pending.length > 0) return [];
  if (last.snapshotVersion <= outputs.tuf.version) return [];
  return [
    {
      id: "state-old",
      component: "tuf",
      place: title(refOf(map)),
      users: [],
      cause:
        `The cluster has served version ${last.snapshotVersion} of the TUF repository, this state ` +
        `knows ${outputs.tuf.version}: it is an old backup, or another update is under way.`,
      command: commands.restore,
      explains: ["content", "fresh"],
    },
  ];
}

/** Which private keys a generation in use has, by the kind's name. */
const keyNames: Readonly<Record<Kind, readonly string[]>> = {
  fulcioCa: ["key"],
  ctLog: ["key"],
  rekor: ["key"],
  tsa: ["key"],
  tufRoot: ["root-key", "targets-key"],
  tufOnline: ["snapshot-key", "timestamp-key"],
};

/** Private keys that the records speak of and the state has lost: nothing can make them again. */
export function lostKeys({ state: { outputs, keys } }: Evidence): Fault[] {
  return (Object.keys(keyNames) as Kind[]).flatMap((kind) =>
    keyed(kind, outputs).flatMap((generation) =>
      keyNames[kind]
        .map((part) => `${slugs[kind]}-${generation}-${part}`)
        .filter((name) => !keys.includes(name))
        .map((name) => lost(name)),
    ),
  );
}

/** Generations whose private key is not destroyed. */
function keyed(kind: Kind, { records, life }: StackOutputs): string[] {
  return Object.keys(records[kind]).filter(
    (generation) => !["retired", "distrusted"].includes(life[kind].states[generation] ?? ""),
  );
}

function lost(name: string): Fault {
  return {
    id: "key-lost",
    component: "stack",
    place: `the stack's state, ${name}`,
    users: [],
    cause:
      "The record of this generation is there, its private key is not. The next update would put " +
      "another key in its place.",
    command: commands.restore,
    explains: [],
  };
}

/** A log that has forgotten entries: its database is older than what it has signed, or another. */
export function forkedLogs({ growths }: Evidence): Fault[] {
  return growths.flatMap((growth): Fault[] => {
    if (growth.result !== "forked") return [];
    const { name, seen, recorded } = growth;
    return [
      {
        id: "log-forked",
        component: name.startsWith("rekor-") ? (name as `rekor-${number}`) : "ctlog",
        place: name,
        users: ["inclusion proof verification failed", "entry not found"],
        cause:
          `The log has ${seen.size} entries under root ${seen.rootHash.slice(0, 12)}, which does not ` +
          `continue the recorded ${recorded.size} under ${recorded.rootHash.slice(0, 12)}: its ` +
          "database was replaced by an older one.",
        command: commands.restore,
        explains: ["identity"],
      },
    ];
  });
}
