import { rootFingerprint } from "../../../../infra/expectations.ts";
import type { StackOutputs } from "../../../../infra/outputs.ts";
import { certificateFingerprint, keyFingerprint, short } from "../../../verify/certificates.ts";
import type {
  CtLogAnswer,
  Evidence,
  FulcioAnswer,
  RekorAnswer,
  Replica,
  TsaAnswer,
  TufAnswer,
} from "../../evidence.ts";
import { commands, type Aspect, type Component, type Symptom } from "../fault.ts";
import { seen } from "../rules.ts";

/** Why an answer is not what the records say. */
interface Wrong {
  aspect: Aspect;
  users: readonly string[];
  /** What the pod does, after its name. */
  does: string;
}

type Judge<T> = (answer: T, outputs: StackOutputs, now: Date) => Wrong[];

/**
 * Pods whose answers are not what the records say. Where what they read is right (else that is the
 * fault), they still hold what they read when they started.
 */
export function otherAnswers({ served, state: { outputs }, now }: Evidence): Symptom[] {
  const judged = <T>(component: Component, replicas: readonly Replica<T>[], judge: Judge<T>) =>
    grouped(
      component,
      replicas.flatMap((replica) =>
        replica.answer === undefined
          ? []
          : judge(replica.answer, outputs, now).map((wrong) => ({ ...wrong, replica })),
      ),
    );
  return [
    ...judged("ctlog", served.ctLog, ctLog),
    ...Object.entries(served.rekor).flatMap(([generation, replicas]) =>
      judged(`rekor-${Number(generation)}`, replicas, rekor(generation)),
    ),
    ...judged("tsa", served.tsa, tsa),
    ...judged("fulcio", served.fulcio, fulcio),
    ...judged("tuf", served.tuf, tuf),
  ];
}

/** One finding for each aspect, with all the pods that show it. */
function grouped(
  component: Component,
  found: readonly (Wrong & { replica: Replica<unknown> })[],
): Symptom[] {
  const aspects = new Set(found.map(({ aspect }) => aspect));
  return [...aspects].map((aspect): Symptom => {
    const same = found.filter((wrong) => wrong.aspect === aspect);
    const [{ replica, users, does }] = same as [(typeof found)[number]];
    const pods = [...new Set(same.map((wrong) => wrong.replica.pod))];
    return {
      id: "pods-outdated",
      component,
      aspect,
      place: pods.map((pod) => `Pod ${replica.namespace}/${pod}`).join(", "),
      users,
      cause: `It ${does}, although what it reads is right: it has not read it since.`,
      command: commands.fix,
      repair: { type: "restart", namespace: replica.namespace, pods },
      explains: [aspect],
    };
  });
}

const fulcio: Judge<FulcioAnswer> = ({ chain, issuers }, { records, life, issuers: wanted }) => {
  const recorded = records.fulcioCa[life.fulcioCa.issues]?.chain.map(certificateFingerprint) ?? [];
  const text = (list: readonly { issuer: string; clientId: string }[]) =>
    list
      .map(({ issuer, clientId }) => `${issuer} (${clientId})`)
      .sort()
      .join(", ");
  return [
    ...(chain.join() === recorded.join()
      ? []
      : [
          {
            aspect: "identity",
            users: [seen.ctl],
            does: `issues under ${short(chain) || "no CA"}`,
          } satisfies Wrong,
        ]),
    ...(text(issuers) === text(wanted)
      ? []
      : [
          {
            aspect: "accepts",
            users: ["There was an error processing the identity token"],
            does: `takes tokens of ${text(issuers) || "nobody"}`,
          } satisfies Wrong,
        ]),
  ];
};

const ctLog: Judge<CtLogAnswer> = (answer, { records, life }) => {
  const roots = life.fulcioCa.accepts
    .flatMap((generation) => records.fulcioCa[generation] ?? [])
    .map(rootFingerprint)
    .sort();
  return Object.entries(answer).flatMap(([prefix, log]): Wrong[] => [
    ...(log.roots.toSorted().join() === roots.join()
      ? []
      : [
          {
            aspect: "accepts",
            users: [seen.ctl],
            does: `accepts ${short(log.roots) || "no CA"} in ${prefix}`,
          } satisfies Wrong,
        ]),
    ...(log.fault === undefined
      ? []
      : [
          {
            aspect: "identity",
            users: [seen.sct],
            does: `signs ${prefix} otherwise (${log.fault})`,
          } satisfies Wrong,
        ]),
  ]);
};

const rekor =
  (generation: string): Judge<RekorAnswer> =>
  ({ treeId, key, fault }, { records }) => {
    const record = records.rekor[generation];
    if (record === undefined) return [];
    const does =
      treeId !== record.treeId
        ? `writes to tree ${treeId}`
        : key !== keyFingerprint(record.publicKeyPem)
          ? `signs with key ${short([key])}`
          : fault && `signs otherwise (${fault})`;
    if (does === undefined) return [];
    return [{ aspect: "identity", users: [seen.entries, seen.rekorKey], does }];
  };

const tsa: Judge<TsaAnswer> = ({ chain }, { records, life }) => {
  const recorded = records.tsa[life.tsa.issues]?.chain.map(certificateFingerprint) ?? [];
  if (chain.join() === recorded.join()) return [];
  const does = `has the chain ${short(chain) || "of no certificates"}`;
  return [{ aspect: "identity", users: [seen.timestamps], does }];
};

const tuf: Judge<TufAnswer> = (answer, outputs, now) => {
  if (answer.refused === undefined) {
    const { version, revision } = answer;
    if (version === outputs.tuf.version && revision === outputs.revision) return [];
    const does = `serves version ${version}, revision ${revision.slice(0, 12)}`;
    return [{ aspect: "content", users: [seen.entries, seen.sct], does }];
  }
  const { refused, timestampExpires } = answer;
  if (timestampExpires !== undefined && timestampExpires <= now) {
    const expired = `expired at ${timestampExpires.toISOString()}`;
    return [
      {
        aspect: "fresh",
        users: [expired, seen.refresh],
        does: `serves a timestamp that ${expired}`,
      },
    ];
  }
  return [{ aspect: "content", users: [seen.refresh], does: `is refused by clients (${refused})` }];
};
