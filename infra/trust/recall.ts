import { randomUUID } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { frozen } from "./record.ts";
import { memoryOf, nothing, type Memory } from "./memory.ts";

/** Who this stack is, and all that it has ever written down. */
export interface Recalled {
  /** Made once: tells this Sigstore's trees from others' in a shared Trillian. */
  instance: pulumi.Output<string>;
  memory: Memory;
  /** Whether an earlier update has made a resource of this name. */
  hasMade: (name: string) => boolean;
}

interface State {
  outputs: Record<string, { type: string; outputs: { output?: unknown } }>;
}

/**
 * Reads the stack's own state before anything but `instance` is registered, in previews too. The
 * state, unlike the stack's outputs, also has what an update wrote that was killed later.
 *
 * `instance` comes first because the engine has no state to read before a stack's first update
 * (it would panic: pulumi pkg/backend/backend.go, GetStackResourceOutputs). A Stash that still
 * holds what this run put in was made by this run, so nothing was there before.
 */
export async function recall(): Promise<Recalled> {
  const mine = randomUUID();
  const instance = frozen("instance", mine, {});
  const existing = await knownValue(instance);
  const isNew = existing === undefined || existing === mine;
  const state = isNew ? [] : await ownResources();
  const names = new Set(state.map(({ name }) => name));
  return {
    instance,
    memory: isNew ? nothing : memoryOf(stashesOf(state)),
    hasMade: (name) => names.has(name),
  };
}

/** The value, unless only the update itself will know it. */
export async function knownValue<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  const inside = output as unknown as { isKnown: Promise<boolean>; promise(): Promise<T> };
  return (await inside.isKnown) ? await inside.promise() : undefined;
}

interface Made {
  name: string;
  type: string;
  output: unknown;
}

/** Every resource in this stack's state. */
async function ownResources(): Promise<Made[]> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = (await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {
    stackName,
  })) as State;
  return Object.entries(outputs).map(
    ([
      urn,
      {
        type,
        outputs: { output },
      },
    ]) => ({
      name: urn.split("::").at(-1) ?? urn,
      type,
      output,
    }),
  );
}

/** What each Stash holds, by its name. */
function stashesOf(resources: readonly Made[]): Record<string, unknown> {
  const stashes = resources.filter(({ type }) => type === "pulumi:index:Stash");
  return Object.fromEntries(stashes.map(({ name, output }) => [name, output]));
}
