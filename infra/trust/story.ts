import { switches, type KindPlan, type Plan } from "./decide.ts";
import { kinds, type Kind } from "./generations.ts";
import { inUse } from "./life.ts";
import type { KindMemory, Memory } from "./memory.ts";

/** Who uses a kind's generations, in the words of a sentence. */
const producers: Readonly<Record<Kind, string>> = {
  fulcioCa: "Fulcio issues with",
  ctLog: "Fulcio writes to",
  rekor: "clients write to",
  tsa: "the timestamp authority signs with",
  tufRoot: "the TUF root is signed with",
  tufOnline: "TUF metadata is signed with",
};

/**
 * What the update does to trust, for a person who reviews the preview: one line for each key that
 * is new, changes its use, ends or is destroyed; none for an update that touches no trust.
 */
export function story(plan: Plan, memory: Memory): string[] {
  return kinds.flatMap((kind) => {
    const known: KindMemory = memory.kinds[kind];
    return [...made(kind, plan[kind], known), ...changed(kind, plan[kind], known)];
  });
}

function made(kind: Kind, plan: KindPlan, { records }: KindMemory): string[] {
  return plan.exists
    .filter((number) => records[number] === undefined)
    .map((number) =>
      number === plan.issues
        ? `${kind} ${number}: a new key is made, published, and then used`
        : `${kind} ${number}: a new key is made and published; nothing uses it yet`,
    );
}

function changed(kind: Kind, plan: KindPlan, memory: KindMemory): string[] {
  const before = inUse(memory);
  const isNew = (what: "closed" | "distrusted" | "retired") =>
    Object.keys(plan[what]).filter((number) => memory[what][number] === undefined);
  return [
    ...(before !== undefined && switches(plan, memory)
      ? [`${kind}: ${producers[kind]} ${plan.issues} instead of ${before}; both stay trusted`]
      : []),
    ...isNew("closed").map(
      (number) =>
        `${kind} ${number}: closed; clients trust what it made until ${plan.ends[number]}`,
    ),
    ...isNew("distrusted").map(
      (number) =>
        `${kind} ${number}: distrusted; nothing that it made after ${plan.ends[number]} is trusted, ` +
        "and its private key is destroyed",
    ),
    ...isNew("retired").map(
      (number) => `${kind} ${number}: its private key is destroyed; what it made stays trusted`,
    ),
  ];
}
