import * as z from "zod";

/** One of two forms. Unlike `z.union` it names the problems of the form that was meant. */
function either<A extends z.ZodType, B extends z.ZodType>(
  isFirst: (value: unknown) => boolean,
  first: A,
  second: B,
) {
  return z.unknown().transform((value, context): z.output<A> | z.output<B> => {
    const parsed = (isFirst(value) ? first : second).safeParse(value);
    if (parsed.success) return parsed.data;
    context.issues.push(...parsed.error.issues.map((issue) => ({ ...issue, input: undefined })));
    return z.NEVER;
  });
}

/** Two forms that are told apart by a key that only the first has. */
export function byKey<A extends z.ZodType, B extends z.ZodType>(key: string, first: A, second: B) {
  return either(
    (value) => typeof value === "object" && value !== null && key in value,
    first,
    second,
  );
}

/** A word, or an object. */
export function wordOr<const W extends readonly [string, ...string[]], B extends z.ZodType>(
  words: W,
  other: B,
  docs = "docs/databases.md",
) {
  const error = `must be ${words.join(" or ")}, or say more: ${docs}`;
  return either((value) => typeof value === "string", z.enum(words, { error }), other);
}
