import * as z from "zod";

/** Everything that comes in generations. */
export const kinds = ["fulcioCa", "ctLog", "rekor", "tsa", "tufRoot", "tufOnline"] as const;
export type Kind = (typeof kinds)[number];

/** The states of a life, from the oldest generation to the newest; `distrusted` stands outside. */
export const lifeStates = ["retired", "closed", "draining", "active", "announced"] as const;
export type LifeState = (typeof lifeStates)[number];

/** Where a generation's key comes from. */
export const sources = ["generated", "supplied", "kms"] as const;
export type Source = (typeof sources)[number];

/** One generation as configured, short and long forms made alike. */
export type Generation =
  { state: LifeState; source: Source } | { state: "distrusted"; from: string; source: Source };

const life = z.union([
  z.enum(lifeStates),
  z.strictObject({ distrusted: z.iso.datetime({ offset: true }) }),
]);

/** A time as records have it: in another form it must not look like another time. */
export function wholeSeconds(time: string): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

const generation = z
  .union([life, z.strictObject({ state: life, source: z.enum(sources).default("generated") })], {
    error:
      `must be ${lifeStates.toReversed().join(", ")}, {distrusted: "<RFC 3339 time, quoted>"}, or ` +
      `{state: <one of these>, source: ${sources.join(" | ")}}`,
  })
  .transform((value): Generation => {
    const [state, source] =
      typeof value === "object" && "state" in value
        ? [value.state, value.source]
        : [value, "generated" as const];
    if (typeof state === "string") return { state, source };
    return { state: "distrusted", from: wholeSeconds(state.distrusted), source };
  });

/** One kind: generation number → state. Its rules need no memory; `decide` has the others. */
const generationMap = z
  .record(z.string().regex(/^[1-9]\d{0,5}$/), generation, {
    error: ({ code }) =>
      code === "invalid_key" ? 'must be a generation number: "1", "2", …' : undefined,
  })
  .superRefine((map, context) => {
    const broken = [...gapProblems(map), ...activeProblems(map), ...orderProblems(map)];
    for (const message of broken) context.addIssue({ code: "custom", message });
  });

/** The part `anchorhold:trust` of the configuration: every kind with all its generations. */
export const trustSchema = z.strictObject({
  fulcioCa: generationMap,
  ctLog: generationMap,
  rekor: generationMap,
  tsa: generationMap,
  tufRoot: generationMap,
  tufOnline: generationMap,
} satisfies Record<Kind, typeof generationMap>);

export type TrustConfig = z.infer<typeof trustSchema>;
type GenerationMap = TrustConfig[Kind];

/** The generations of one kind by number, oldest first. */
export function inOrder(map: GenerationMap): { number: number; generation: Generation }[] {
  return Object.entries(map)
    .map(([number, generation]) => ({ number: Number(number), generation }))
    .sort((a, b) => a.number - b.number);
}

function gapProblems(map: GenerationMap): string[] {
  const numbers = inOrder(map).map(({ number }) => number);
  const missing = Array.from({ length: numbers.length }, (_, index) => index + 1).filter(
    (number) => !numbers.includes(number),
  );
  if (missing.length === 0) return [];
  return [
    `generation ${missing.join(", ")} is missing: numbers go up from 1 without a gap, and a ` +
      `generation that has been there keeps its line for ever`,
  ];
}

function activeProblems(map: GenerationMap): string[] {
  const active = inOrder(map).filter(({ generation }) => generation.state === "active");
  if (active.length === 1) return [];
  const found = active.length === 0 ? "none is" : `${active.map((a) => a.number).join(", ")} are`;
  return [`exactly one generation must be active; ${found}`];
}

function orderProblems(map: GenerationMap): string[] {
  const living = inOrder(map).flatMap(({ number, generation }) =>
    generation.state === "distrusted" ? [] : [{ number, state: generation.state }],
  );
  return living.flatMap((older, index) => {
    const newer = living[index + 1];
    if (!newer || lifeStates.indexOf(older.state) <= lifeStates.indexOf(newer.state)) return [];
    return [
      `generation ${older.number} cannot be ${older.state} below ${newer.number}, which is ` +
        `${newer.state}: from the oldest to the newest the order is ${lifeStates.join(", ")}`,
    ];
  });
}
