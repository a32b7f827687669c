import type { TufState } from "../../outputs.ts";

export interface Life {
  /** Days from signing, by role. */
  targets: number;
  snapshot: number;
  timestamp: number;
}

/**
 * How often the same documents have been signed: one more when less than a third of the shortest
 * life is left. A role is otherwise never signed anew, since each signature gives other bytes.
 */
export function renewalsOf(known: TufState | undefined, life: Life, now: Date): number {
  if (known === undefined) return 0;
  const shortest = Math.min(life.targets, life.snapshot, life.timestamp) * 86_400_000;
  const left = Date.parse(known.expires) - now.getTime();
  return left < shortest / 3 ? known.renewals + 1 : known.renewals;
}

/** The version of the roles' metadata: it grows by one whenever anything is signed, never else. */
export function versionOf(
  known: TufState | undefined,
  next: { revision: string; renewals: number },
): number {
  if (known === undefined) return 1;
  const same = known.revision === next.revision && known.renewals === next.renewals;
  return same ? known.version : known.version + 1;
}
