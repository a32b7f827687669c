import * as pulumi from "@pulumi/pulumi";
import type { StackOutputs } from "../outputs.ts";
import { switches as isSwitching, type Plan } from "./decide.ts";
import { kinds, type Kind, type TrustConfig } from "./generations.ts";
import { slugs, type Memory } from "./memory.ts";
import { frozen } from "./record.ts";
import type { Observation, Switch } from "./stamps.ts";

export interface HistoryArgs {
  plan: Plan;
  memory: Memory;
}

/** Kinds whose generations have a history; the others have one generation alone. */
const lives = ["fulcioCa", "ctLog"] as const;
type Living = (typeof lives)[number];

/**
 * What is written down when a generation ends, each line once and before it takes effect: its
 * window's end, a theft, its key's destruction.
 */
export class Endings extends pulumi.ComponentResource {
  constructor(name: string, { plan }: HistoryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:trust:Endings", name, {}, opts);
    for (const kind of lives) {
      const { closed, distrusted, retired } = plan[kind];
      for (const [what, lines] of Object.entries({ closed, distrusted, retired }))
        for (const [number, line] of Object.entries(lines))
          frozen(`${slugs[kind]}-${number}-${what}`, line, { parent: this });
    }
    this.registerOutputs();
  }
}

export interface ObservedArgs extends HistoryArgs {
  /** What the gate before it has seen. */
  seen: pulumi.Output<Observation>;
}

/** When each accepted generation was first seen everywhere. */
export class Published extends pulumi.ComponentResource {
  readonly times: Record<Living, Record<string, pulumi.Output<Observation>>>;

  constructor(name: string, args: ObservedArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:trust:Published", name, {}, opts);
    const stamps = (kind: Living) => {
      const known = args.memory.kinds[kind].published;
      const numbers = new Set([...Object.keys(known), ...args.plan[kind].accepts.map(String)]);
      return Object.fromEntries(
        [...numbers].map((number) => [
          number,
          frozen<Observation>(`${slugs[kind]}-${number}-published`, known[number] ?? args.seen, {
            parent: this,
          }),
        ]),
      );
    };
    this.times = { fulcioCa: stamps("fulcioCa"), ctLog: stamps("ctLog") };
    this.registerOutputs();
  }
}

/** The producer's changes of generation, each stamped when no replica used the former any more. */
export class Switches extends pulumi.ComponentResource {
  readonly all: Record<Living, pulumi.Output<Switch>[]>;

  constructor(name: string, args: ObservedArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:trust:Switches", name, {}, opts);
    const stamps = (kind: Living) => {
      const [plan, known] = [args.plan[kind], args.memory.kinds[kind]];
      const changes: pulumi.Input<Switch>[] = [...known.switches];
      if (isSwitching(plan, known))
        changes.push(args.seen.apply((seen) => ({ ...seen, generation: plan.issues })));
      return changes.map((change, index) =>
        frozen<Switch>(`${slugs[kind]}-switch-${index + 1}`, change, { parent: this }),
      );
    };
    this.all = { fulcioCa: stamps("fulcioCa"), ctLog: stamps("ctLog") };
    this.registerOutputs();
  }
}

/** The lives of all kinds as the stack's outputs tell them. */
export function lifeOutputs(
  configured: TrustConfig,
  plan: Plan,
  published: Partial<Record<Kind, object>>,
  switched: Partial<Record<Kind, object>>,
): pulumi.Output<StackOutputs["life"]> {
  const all = kinds.map((kind) => {
    const { issues, accepts, readOnly, ends, distrusted } = plan[kind];
    const states = Object.fromEntries(
      Object.entries(configured[kind]).map(([number, { state }]) => [number, state]),
    );
    const observed = { published: published[kind] ?? {}, switches: switched[kind] ?? [] };
    return [kind, { states, issues, accepts, readOnly, ends, distrusted, ...observed }];
  });
  return pulumi.output(Object.fromEntries(all)) as pulumi.Output<StackOutputs["life"]>;
}
