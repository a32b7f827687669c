import * as pulumi from "@pulumi/pulumi";
import type * as z from "zod";

/** Everything that makes trust: no update, refresh or `--replace` may take it away. */
export const trustOptions = { protect: true } as const;

/**
 * A value that is kept as it was first made. A Stash holds its first output until it is replaced;
 * `protect` refuses the replacement, and ignoring the input keeps an edited configuration or a new
 * random signature from showing as a change.
 *
 * @param value a secret stays a secret.
 */
export function frozen<T>(
  name: string,
  value: pulumi.Input<T>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<T> {
  const stash = new pulumi.Stash(
    name,
    { input: value },
    { ...opts, ...trustOptions, ignoreChanges: ["input"] },
  );
  return stash.output as pulumi.Output<T>;
}

/**
 * The public facts of one generation, in a protected Stash named `…-public`.
 *
 * @param made computes the facts; secrets may go into it, none may come out.
 * @param known the record of the last update: used as it is, so that nothing is computed twice.
 */
export function record<S extends z.ZodType>(
  name: string,
  schema: S,
  made: () => pulumi.Output<z.infer<S>>,
  known: z.infer<S> | undefined,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<z.infer<S>> {
  const facts = known === undefined ? pulumi.unsecret(made()) : pulumi.output(known as unknown);
  return frozen(`${name}-public`, facts, opts).apply((value) => schema.parse(value));
}

/** The start of a window that begins now: in the past, for clients whose clock is a little behind. */
export function windowStart(now: Date): string {
  const tenMinutes = 600_000;
  return `${new Date(now.getTime() - tenMinutes).toISOString().slice(0, 19)}Z`;
}
