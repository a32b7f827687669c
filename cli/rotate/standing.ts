import type { KindLife } from "../../infra/outputs.ts";
import {
  inOrder,
  type Generation,
  type Kind,
  type LifeState,
  type TrustConfig,
} from "../../infra/trust/generations.ts";

/** The kinds whose generations can be replaced; `decide` refuses a second one of the others. */
export const rotatable = ["fulcioCa", "ctLog"] as const satisfies readonly Kind[];
export type Rotatable = (typeof rotatable)[number];

/** Where one kind stands. */
export interface Standing {
  /** As the last finished update left it. */
  life: KindLife;
  records: Readonly<Record<string, { start: string }>>;
  /** As the stack file says now. */
  configured: TrustConfig[Kind];
  now: Date;
  /** Between published and used, and between last use and closing; milliseconds. */
  leadTime: number;
}

/** What the lines of some generations become, by number. */
export type Edit = Readonly<Record<string, LifeState | { distrusted: string }>>;

export type Step =
  /** The edit is allowed now. */
  | { do: "edit"; what: string; edit: Edit }
  /** The same edit is refused before this time. */
  | { do: "wait"; what: string; edit: Edit; until: Date }
  /** The stack file has an edit already that no update has finished. */
  | { do: "finish"; what: string };

/** The generations that the stack file has in a state, oldest first. */
export function inState({ configured }: Standing, state: LifeState): number[] {
  return inOrder(configured)
    .filter(({ generation }) => generation.state === state)
    .map(({ number }) => number);
}

/** What must be settled before anything else: lines that were lost, or an unfinished edit. */
export function unsettled(standing: Standing): Step | undefined {
  return lostLines(standing) ?? unfinished(standing);
}

/** A generation that was deployed and has no line would be refused: what was trusted stays. */
function lostLines({ life, configured }: Standing): Step | undefined {
  const lost = Object.keys(life.states).filter((number) => !(number in configured));
  if (lost.length === 0) return undefined;
  const differing = Object.keys(life.states).filter(
    (number) => !sameState(life, number, configured[number]),
  );
  return {
    do: "edit",
    what: `write back what is deployed: the stack file lacks generation ${lost.join(", ")}`,
    edit: Object.fromEntries(differing.map((number) => [number, deployedState(life, number)])),
  };
}

function unfinished({ life, configured }: Standing): Step | undefined {
  const changed = Object.entries(configured).filter(
    ([number, generation]) => !sameState(life, number, generation),
  );
  if (changed.length === 0) return undefined;
  const lines = changed.map(([number, { state }]) => `${number} ${state}`).join(", ");
  return {
    do: "finish",
    what: `deploy what the stack file says and no update has finished: ${lines}`,
  };
}

function deployedState(life: KindLife, number: string): Edit[string] {
  const from = life.distrusted[number]?.from;
  return from === undefined ? (life.states[number] as LifeState) : { distrusted: from };
}

function sameState(life: KindLife, number: string, generation: Generation | undefined): boolean {
  if (generation === undefined || life.states[number] !== generation.state) return false;
  if (generation.state !== "distrusted") return true;
  // The record has whole seconds.
  const from = Math.floor(Date.parse(generation.from) / 1000) * 1000;
  return Date.parse(life.distrusted[number]?.from ?? "") === from;
}
