import { decide, switches as isSwitching, type KindPlan } from "../../../../infra/trust/decide.ts";
import { trustSchema, type Kind } from "../../../../infra/trust/generations.ts";
import { nothing, type KindMemory } from "../../../../infra/trust/memory.ts";
import { windowStart } from "../../../../infra/trust/record.ts";
import type { KindLife } from "../../../../infra/outputs.ts";
import type { Edit, Standing } from "../../../../cli/rotate/standing.ts";

type Lines = Record<string, unknown>;

/** How far an update came: killed after making keys, after seeing them published, or finished. */
export type Reached = "made" | "published" | "finished";

/** Each number that has no value yet gets this one. */
function withEach<T>(known: Readonly<Record<string, T>>, numbers: readonly number[], value: T) {
  return { ...Object.fromEntries(numbers.map((number) => [number, value])), ...known };
}

/**
 * The life of one kind as updates write it, with the real `decide` as the judge of every update.
 * Only making, publishing and switching are played, all in no time.
 */
export class World {
  readonly leadTime: number;
  now: number;
  /** As the stack file has them. */
  lines: Lines = { "1": "active" };
  private readonly kind: Kind;
  private memory: KindMemory = nothing.kinds.fulcioCa;
  private life!: KindLife;

  constructor(kind: Kind, leadTime: number, begin = Date.parse("2026-01-01T00:00:00Z")) {
    this.now = begin;
    this.kind = kind;
    this.leadTime = leadTime;
    this.update();
  }

  get standing(): Standing {
    return {
      life: this.life,
      records: this.memory.records,
      configured: this.trust(this.lines)[this.kind],
      now: new Date(this.now),
      leadTime: this.leadTime,
    };
  }

  /** Why an update with these lines is refused at that time, by schema or decide; none if it is not. */
  refusal(edit: Edit, at = this.now): string | undefined {
    try {
      this.decide({ ...this.lines, ...edit }, at);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  apply(edit: Edit): void {
    this.lines = { ...this.lines, ...edit };
  }

  /** Runs an update that is not refused; a killed one leaves the stack's outputs as they were. */
  update(reached: Reached = "finished"): void {
    const plan = this.decide(this.lines, this.now);
    const { records, published } = this.memory;
    // Observations are told in whole seconds that have passed.
    const at = `${new Date(this.now).toISOString().slice(0, 19)}Z`;
    const seen = { at, checkpoints: {} };
    const made = { start: windowStart(new Date(this.now)), source: "generated" };
    const { closed, distrusted, retired } = plan;
    this.remember({ records: withEach(records, plan.exists, made as never) });
    this.remember({ closed, distrusted, retired });
    if (reached === "made") return;
    this.remember({ published: withEach(published, plan.accepts, seen) });
    if (reached === "published") return;
    if (isSwitching(plan, this.memory))
      this.remember({ switches: [...this.memory.switches, { ...seen, generation: plan.issues }] });
    this.life = this.output(plan);
  }

  private remember(more: Partial<KindMemory>): void {
    this.memory = { ...this.memory, ...more };
  }

  /** The part of the stack's outputs that tells of this kind. */
  private output({ issues, accepts, readOnly, ends, distrusted }: KindPlan): KindLife {
    const configured = Object.entries(this.trust(this.lines)[this.kind]);
    const states = Object.fromEntries(configured.map(([number, { state }]) => [number, state]));
    const { published, switches } = this.memory;
    const plan = { issues, accepts, readOnly, ends, distrusted };
    return { states, ...plan, published: { ...published }, switches: [...switches] };
  }

  private decide(lines: Lines, at: number) {
    const args = { trust: this.trust(lines), now: new Date(at), leadTime: this.leadTime };
    const memory = { ...nothing, kinds: { ...nothing.kinds, [this.kind]: this.memory } };
    return decide({ ...args, memory })[this.kind];
  }

  private trust(lines: Lines) {
    const first = { "1": "active" };
    return trustSchema.parse({
      ...{ fulcioCa: first, ctLog: first, rekor: first, tsa: first },
      ...{ tufRoot: first, tufOnline: first, [this.kind]: lines },
    });
  }
}
