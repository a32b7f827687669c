import * as z from "zod";

/**
 * One of two forms, told apart by a key that only the first has. Unlike `z.union` it names the
 * problems of the form that was meant, each with its place.
 */
export function byKey<A extends z.ZodType, B extends z.ZodType>(key: string, first: A, second: B) {
  return z.unknown().transform((value, context): z.output<A> | z.output<B> => {
    const isFirst = typeof value === "object" && value !== null && key in value;
    const parsed = (isFirst ? first : second).safeParse(value);
    if (parsed.success) return parsed.data;
    context.issues.push(...parsed.error.issues.map((issue) => ({ ...issue, input: undefined })));
    return z.NEVER;
  });
}
