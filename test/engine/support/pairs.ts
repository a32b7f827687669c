import { isDeepStrictEqual } from "node:util";
import type { Evidence, Served } from "../../../cli/doctor/evidence.ts";

/** Every part of what was seen, by name; a fault changes some of them. */
type Parts = ReadonlyMap<string, unknown>;

/** The parts of an evidence; a pod's clock moves on from look to look and is no difference. */
function partsOf(evidence: Evidence, ahead: number): Parts {
  const { state, locks, live, secrets, revisions, served, addresses, growths } = evidence;
  const prefixed = (name: string, of: object) =>
    Object.entries(of).map(([key, value]): [string, unknown] => [`${name} ${key}`, value]);
  return new Map([
    ["ahead", ahead],
    ["locks", locks],
    ...prefixed("state", state),
    ...prefixed("live", live),
    ...prefixed("secret", secrets),
    ...revisions.map((revision): [string, unknown] => [
      `revision ${revision.namespace} ${revision.revision}`,
      revision,
    ]),
    ...prefixed("served", { ...served, rekor: undefined }),
    ...prefixed("rekor", served.rekor),
    ...addresses.map((address): [string, unknown] => [`address ${address.url}`, address]),
    ...growths.map((growth): [string, unknown] => [`growth ${growth.name}`, growth]),
  ]);
}

/** Neither does the local port of a forward matter, which an error's text may name. */
function comparable(part: unknown): unknown {
  const text = JSON.stringify(part ?? null, (key, value: unknown) =>
    key === "clock" ? undefined : value,
  );
  return JSON.parse(text.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1"));
}

/** A look at a copy of the stack, and by how much its clock was wrong. */
export interface Look {
  evidence: Evidence;
  ahead: number;
}

/** The names of the parts in which a look differs from the healthy one. */
function changedParts(healthy: Look, look: Look): Set<string> {
  const [before, after] = [healthy, look].map(({ evidence, ahead }) => partsOf(evidence, ahead));
  const names = new Set([...before!.keys(), ...after!.keys()]);
  const differs = (name: string) =>
    !isDeepStrictEqual(comparable(before!.get(name)), comparable(after!.get(name)));
  return new Set([...names].filter(differs));
}

/**
 * What would be seen with both faults, where they change different parts of it; undefined where
 * they meet, and must be done together to know.
 */
export function together(healthy: Look, one: Look, other: Look): Evidence | undefined {
  const [mine, theirs] = [changedParts(healthy, one), changedParts(healthy, other)];
  if ([...mine].some((name) => theirs.has(name))) return undefined;
  const pick = <T>(name: string, of: (look: Look) => T): T =>
    of(mine.has(name) ? one : theirs.has(name) ? other : healthy);
  const all = [healthy, one, other];
  const record = <T>(name: string, of: (evidence: Evidence) => Readonly<Record<string, T>>) => {
    const keys = new Set(all.flatMap(({ evidence }) => Object.keys(of(evidence))));
    const picked = [...keys].map((key) => [
      key,
      pick(`${name} ${key}`, (l) => of(l.evidence)[key]),
    ]);
    return Object.fromEntries(picked.filter(([, value]) => value !== undefined)) as Record<
      string,
      T
    >;
  };
  const list = <T>(name: (item: T) => string, of: (evidence: Evidence) => readonly T[]): T[] => {
    const names = new Set(all.flatMap(({ evidence }) => of(evidence).map(name)));
    return [...names].flatMap((key) =>
      pick(key, ({ evidence }) => of(evidence).find((item) => name(item) === key) ?? []),
    );
  };
  const { now } = healthy.evidence;
  return {
    now: new Date(now.getTime() + pick("ahead", ({ ahead }) => ahead)),
    locks: pick("locks", (look) => look.evidence.locks),
    state: record(
      "state",
      ({ state }) => state as unknown as Record<string, unknown>,
    ) as unknown as Evidence["state"],
    live: record("live", ({ live }) => live),
    secrets: record("secret", ({ secrets }) => secrets),
    revisions: list(
      ({ namespace, revision }) => `revision ${namespace} ${revision}`,
      ({ revisions }) => revisions,
    ),
    served: {
      ...(record(
        "served",
        ({ served }) => served as unknown as Record<string, unknown>,
      ) as unknown as Served),
      rekor: record("rekor", ({ served }) => served.rekor),
    },
    addresses: list(
      ({ url }) => `address ${url}`,
      ({ addresses }) => addresses,
    ),
    growths: list(
      ({ name }) => `growth ${name}`,
      ({ growths }) => growths,
    ),
  };
}
