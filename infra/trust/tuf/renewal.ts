import type { Publication } from "../stamps.ts";

/** Days from signing, by role. */
export interface Life {
  targets: number;
  snapshot: number;
}

/**
 * The version that the repository shall have: the last one's as long as it says what is wanted and
 * more than a third of its life is left, else the next. Nothing is signed anew without need, since
 * each signature gives other bytes.
 *
 * @param revision of what shall be published; undefined while the update itself makes a part of it
 */
export function nextVersion(
  publications: readonly Publication[],
  revision: string | undefined,
  life: Life,
  now: Date,
): number {
  const last = publications.at(-1);
  if (last === undefined) return 1;
  const left = Date.parse(last.expires) - now.getTime();
  const shortest = Math.min(life.targets, life.snapshot) * 86_400_000;
  return last.revision === revision && left >= shortest / 3 ? last.version : last.version + 1;
}
