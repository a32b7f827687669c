import { layersOf } from "./layers.ts";
import { needlesOf, type Needle } from "./needles.ts";
import type { Secret } from "./secrets.ts";

/** Bytes that are searched, and where they are, in words. */
export interface Place {
  where: string;
  bytes: Buffer;
}

/** A secret that was found. Neither it nor what stands around it is told. */
export interface Hit {
  where: string;
  secret: string;
  /** As what it stood there, and what had to be decoded before. */
  form: string;
}

/** Where a secret may be. Both are matched whole. */
export interface Allowed {
  where: RegExp;
  secret: RegExp;
}

/** Looks for all secrets at once. */
export class KeySearch {
  /** Needles by their first two bytes. */
  private readonly byStart: (Needle[] | undefined)[] = Array<undefined>(65_536).fill(undefined);

  constructor(secrets: readonly Secret[]) {
    if (secrets.length === 0) throw new Error("there is nothing to search for");
    for (const needle of secrets.flatMap(needlesOf))
      (this.byStart[startOf(needle.text, 0)] ??= []).push(needle);
  }

  /** Every secret in these places, each once a place, in the first form that was met. */
  search(places: Iterable<Place>): Hit[] {
    return [...places].flatMap(({ where, bytes }) => {
      const hits = new Map<string, Hit>();
      for (const { text, path } of layersOf(bytes))
        for (const { secret, form } of this.found(text)) {
          const told = [form, ...path.toReversed()].join(" in ");
          if (!hits.has(secret)) hits.set(secret, { where, secret, form: told });
        }
      return [...hits.values()];
    });
  }

  private *found(text: string): Generator<Needle> {
    for (let at = 0; at + 1 < text.length; at++) {
      const needles = this.byStart[startOf(text, at)];
      if (needles === undefined) continue;
      for (const needle of needles) if (text.startsWith(needle.text, at)) yield needle;
    }
  }
}

const startOf = (text: string, at: number): number =>
  (text.charCodeAt(at) << 8) | text.charCodeAt(at + 1);

/**
 * Divides hits by a list of where secrets may be.
 * @returns what stands where it must not, and lines of the list that nothing was found for: a list
 *   that allows more than there is hides the next leak
 */
export function judge(
  hits: readonly Hit[],
  allowed: readonly Allowed[],
): { leaks: Hit[]; unused: Allowed[] } {
  const covers = (rule: Allowed, { where, secret }: Hit) =>
    isWhole(rule.where, where) && isWhole(rule.secret, secret);
  return {
    leaks: hits.filter((hit) => !allowed.some((rule) => covers(rule, hit))),
    unused: allowed.filter((rule) => !hits.some((hit) => covers(rule, hit))),
  };
}

const isWhole = ({ source }: RegExp, text: string): boolean =>
  new RegExp(`^(?:${source})$`).test(text);
