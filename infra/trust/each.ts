import * as pulumi from "@pulumi/pulumi";
import type { KindPlan } from "./decide.ts";

/** What is kept for every generation of a kind, by its number. */
export type ByGeneration<T> = Readonly<Record<number, T>>;

/** Makes one thing for every generation that the plan has. */
export function each<T>(plan: KindPlan, make: (generation: number) => T): ByGeneration<T> {
  return Object.fromEntries(plan.exists.map((generation) => [generation, make(generation)]));
}

/**
 * The one of a generation.
 * @throws when the plan names a generation that it did not make, which would be our mistake
 */
export function one<T>(made: ByGeneration<T>, generation: number): T {
  const found = made[generation];
  if (found === undefined) throw new Error(`generation ${generation} was not made`);
  return found;
}

/** The records of a kind by generation number. */
export function recordsOf<T>(
  made: ByGeneration<{ record: pulumi.Output<T> }>,
): pulumi.Output<Record<string, T>> {
  const records = Object.fromEntries(Object.entries(made).map(([n, { record }]) => [n, record]));
  return pulumi.output(records) as unknown as pulumi.Output<Record<string, T>>;
}

/** Those of some generations. */
export function some<T>(made: ByGeneration<T>, generations: readonly number[]): ByGeneration<T> {
  return Object.fromEntries(generations.map((generation) => [generation, one(made, generation)]));
}
