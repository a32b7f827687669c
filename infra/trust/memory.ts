import type * as z from "zod";
import { UserError } from "../errors.ts";
import type { Records } from "../outputs.ts";
import { kinds, type Kind } from "./generations.ts";
import { fulcioCaRecord, logRecord, tsaRecord, tufOnlineRecord, tufRootRecord } from "./records.ts";
import {
  closedSchema,
  clusterSchema,
  distrustedSchema,
  observationSchema,
  publicationSchema,
  retiredSchema,
  switchSchema,
  type Observation,
  type Publication,
  type Switch,
} from "./stamps.ts";

/** How a kind's resources are called: `fulcio-ca-1-public`. */
export const slugs = {
  fulcioCa: "fulcio-ca",
  ctLog: "ctlog",
  rekor: "rekor",
  tsa: "tsa",
  tufRoot: "tuf-root",
  tufOnline: "tuf-online",
} as const satisfies Record<Kind, string>;

export const recordSchemas = {
  fulcioCa: fulcioCaRecord,
  ctLog: logRecord,
  rekor: logRecord,
  tsa: tsaRecord,
  tufRoot: tufRootRecord,
  tufOnline: tufOnlineRecord,
} as const satisfies Record<Kind, z.ZodType>;

export type RecordOf<K extends Kind> = z.infer<(typeof recordSchemas)[K]>;

type Numbered<T> = Readonly<Record<string, T>>;

/** All that is known of one kind, by generation number. */
export interface KindMemory<K extends Kind = Kind> {
  records: Numbered<RecordOf<K>>;
  /** First seen on every CT log replica and in the served TUF repository. */
  published: Numbered<Observation>;
  /** The producer's changes from one generation to another, in order; the last one is in use. */
  switches: readonly Switch[];
  closed: Numbered<z.infer<typeof closedSchema>>;
  distrusted: Numbered<z.infer<typeof distrustedSchema>>;
  retired: Numbered<z.infer<typeof retiredSchema>>;
}

/** What earlier updates, finished or killed, have left in the stack's state. */
export interface Memory {
  cluster?: z.infer<typeof clusterSchema>;
  kinds: { readonly [K in Kind]: KindMemory<K> };
  /** In order of their versions, without a gap. */
  publications: readonly Publication[];
}

/** What the memory of a new stack is. */
export const nothing: Memory = { ...memoryOf({}) };

/**
 * Reads the memory from the Stashes of a state.
 *
 * @param stashes resource name → what the Stash holds; names that are not ours are left alone
 * @throws UserError when one holds what this version does not read
 */
export function memoryOf(stashes: Readonly<Record<string, unknown>>): Memory {
  const cluster = stashes["cluster"];
  return {
    ...(cluster === undefined ? {} : { cluster: read("cluster", clusterSchema, cluster) }),
    kinds: Object.fromEntries(
      kinds.map((kind) => [kind, kindMemory(kind, stashes)]),
    ) as unknown as Memory["kinds"],
    publications: inOrder("tuf-publication", publicationSchema, stashes),
  };
}

function kindMemory(kind: Kind, stashes: Readonly<Record<string, unknown>>): KindMemory {
  const slug = slugs[kind];
  const numbered = <S extends z.ZodType>(what: string, schema: S) =>
    byNumber(new RegExp(`^${slug}-(\\d+)-${what}$`), schema, stashes);
  return {
    records: numbered("public", recordSchemas[kind] as z.ZodType<RecordOf<Kind>>),
    published: numbered("published", observationSchema),
    switches: inOrder(`${slug}-switch`, switchSchema, stashes),
    closed: numbered("closed", closedSchema),
    distrusted: numbered("distrusted", distrustedSchema),
    retired: numbered("retired", retiredSchema),
  };
}

/** `name-1`, `name-2` … as a list. */
function inOrder<S extends z.ZodType>(
  name: string,
  schema: S,
  stashes: Readonly<Record<string, unknown>>,
): z.infer<S>[] {
  const found = byNumber(new RegExp(`^${name}-(\\d+)$`), schema, stashes);
  return Object.entries(found)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, value]) => value);
}

function byNumber<S extends z.ZodType>(
  pattern: RegExp,
  schema: S,
  stashes: Readonly<Record<string, unknown>>,
): Record<string, z.infer<S>> {
  return Object.fromEntries(
    Object.entries(stashes).flatMap(([name, value]) => {
      const number = pattern.exec(name)?.[1];
      return number === undefined ? [] : [[number, read(name, schema, value)]];
    }),
  );
}

function read<S extends z.ZodType>(name: string, schema: S, value: unknown): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [problem] = parsed.error.issues;
  throw new UserError(
    `The record ${name} in this stack's state is not of a form that this version reads ` +
      `(${problem?.path.join(".") || "top"}: ${problem?.message ?? ""}). Update with the version of ` +
      "Anchorhold that wrote it, or restore the state: anchorhold restore.",
  );
}

/** The records of every kind by generation number, as far as they are remembered. */
export function rememberedRecords({ kinds: known }: Memory): Records {
  return Object.fromEntries(kinds.map((kind) => [kind, known[kind].records])) as Records;
}
