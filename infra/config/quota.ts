import * as z from "zod";
import { components, type Component } from "../scaffold/names.ts";
import { cpu, memory } from "../scaffold/sizes.ts";

const amounts = {
  /** Sum of what is requested. */
  cpu: cpu.optional(),
  memory: memory.optional(),
  /** Sum of the limits of memory: what can be in use at most. */
  memoryLimits: memory.optional(),
  pods: z.int().min(1).optional(),
  /** Sum of what volume claims ask for. */
  storage: memory.optional(),
};

/**
 * `anchorhold:quota`: what a namespace may use at most, and where a component's differs. A Rekor
 * generation has a namespace of its own.
 */
export const quotaSchema = z.strictObject({
  ...amounts,
  components: z.partialRecord(z.enum(components), z.strictObject(amounts)).default({}),
});

/** What one namespace may use; what is left out is not counted. */
export type Quota = Omit<z.infer<typeof quotaSchema>, "components">;

/** The quota of a component's namespace. */
export function quotaOf(
  given: z.infer<typeof quotaSchema> | undefined,
  component: Component,
): Quota | undefined {
  if (given === undefined) return undefined;
  const { components: own, ...all } = given;
  return { ...all, ...own[component] };
}
