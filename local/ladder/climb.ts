import { LocalError } from "../errors.ts";
import type { Need, RungOf } from "./rungs.ts";

/** Whether a rung is there: what it is in a few words, or why not as a clause. */
export type Found = { what: string } | { why: string };

export interface Rung<N extends Need> {
  rung: RungOf<N>;
  /**
   * Looks whether it is there; changes nothing.
   * @param isPatient whether somebody asked for it: then a slow host gets its time
   */
  look(isPatient: boolean): Promise<Found>;
  /** What makes it be there, as a sentence. */
  remedy: string;
}

export interface Climb<N extends Need> {
  need: N;
  /** The need's name at the beginning of a line. */
  title: string;
  /** The first that is there is taken, unless one is wanted or was taken before. */
  rungs: readonly Rung<N>[];
  /** What the caller insists on. */
  wanted?: RungOf<N> | undefined;
  /** What was taken before. */
  before?: RungOf<N> | undefined;
  /** Why nothing else than before may be taken, as a sentence; without it, it is only preferred. */
  bound?: string | undefined;
}

export interface Taken<N extends Need> {
  rung: RungOf<N>;
  /** What it is, and why not a better one. */
  line: string;
}

/**
 * Takes a rung of one need's ladder.
 * @throws LocalError when the one that is wanted, or that must stay, is not there
 */
export async function climb<N extends Need>(climb: Climb<N>): Promise<Taken<N>> {
  const { need, rungs, wanted, before, bound } = climb;
  if (wanted !== undefined && before !== undefined && wanted !== before && bound !== undefined)
    throw new LocalError(`--${need} ${wanted}: ${bound}`);
  if (wanted !== undefined) return await insist(climb, wanted);
  if (before !== undefined) {
    const kept = rungs.find(({ rung }) => rung === before);
    const found = await kept?.look(bound !== undefined);
    if (found !== undefined && "what" in found)
      return { rung: before, line: `${climb.title}: ${found.what}, as before` };
    if (bound !== undefined)
      throw new LocalError(
        `${climb.title}: ${found?.why ?? "what was there before is not"}. ${bound} ${kept?.remedy ?? ""}`.trim(),
      );
  }
  return await first(climb);
}

async function insist<N extends Need>(
  { need, title, rungs }: Climb<N>,
  wanted: RungOf<N>,
): Promise<Taken<N>> {
  const rung = rungs.find((one) => one.rung === wanted);
  if (rung === undefined)
    throw new LocalError(`--${need} ${wanted}: it does not go with the other switches.`);
  const found = await rung.look(true);
  if ("what" in found) return { rung: wanted, line: `${title}: ${found.what}, as asked` };
  throw new LocalError(
    `--${need} ${wanted}: ${found.why}. ${rung.remedy} Or leave out --${need}; nothing was changed.`,
  );
}

/** They are looked at side by side: the time is that of the slowest. */
async function first<N extends Need>({ title, rungs }: Climb<N>): Promise<Taken<N>> {
  const all = await Promise.all(rungs.map((rung) => rung.look(false)));
  const reasons: string[] = [];
  for (const [index, found] of all.entries()) {
    const { rung } = rungs[index]!;
    if ("what" in found)
      return {
        rung,
        line: `${title}: ${found.what}${reasons.length === 0 ? "" : ` (${reasons.join("; ")})`}`,
      };
    reasons.push(found.why);
  }
  const remedy = rungs[0]?.remedy ?? "";
  throw new LocalError(`${title}: ${reasons.join("; ")}. ${remedy} Nothing was changed.`);
}
