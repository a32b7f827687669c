import type { Span } from "./report.ts";

/** A pod as one look at the cluster showed it. */
export interface SeenPod {
  /** `namespace/name` of its Deployment. */
  deployment: string;
  /** The label `pod-template-hash`: another one is another revision of the Deployment. */
  revision: string;
}

/** One Deployment's roll: from the first new pod until the last old one is gone. */
export interface Roll extends Span {
  deployment: string;
}

interface Following {
  revision: string;
  /** When a pod of that revision was there last. */
  lastSeen: number;
  rollingSince: number | undefined;
}

/** Finds rolls in a sequence of looks at the cluster's pods. */
export class RollTracker {
  /** Rolls that are over, in the order of their ends. */
  readonly rolls: Roll[] = [];
  private readonly deployments = new Map<string, Following>();

  /** @param at when the look was taken, ms since 1970; never goes back */
  observe(pods: readonly SeenPod[], at: number): void {
    for (const [deployment, revisions] of byDeployment(pods)) {
      const known = this.deployments.get(deployment);
      this.deployments.set(deployment, this.follow(deployment, known, revisions, at));
    }
  }

  /** Rolls that are under way, by Deployment. */
  get open(): string[] {
    return [...this.deployments]
      .filter(([, { rollingSince }]) => rollingSince !== undefined)
      .map(([deployment]) => deployment);
  }

  private follow(
    deployment: string,
    known: Following | undefined,
    revisions: ReadonlySet<string>,
    at: number,
  ): Following {
    const [only = ""] = revisions;
    const before = known ?? { revision: only, lastSeen: at, rollingSince: undefined };
    if (revisions.size > 1)
      return { ...before, lastSeen: at, rollingSince: before.rollingSince ?? at };
    // One revision: a roll is over, or nothing happens, or the old pods went before the new came.
    const isReplaced = only !== before.revision;
    const from = before.rollingSince ?? (isReplaced ? before.lastSeen : undefined);
    if (from !== undefined) this.rolls.push({ deployment, from, to: at });
    return { revision: only, lastSeen: at, rollingSince: undefined };
  }
}

function byDeployment(pods: readonly SeenPod[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { deployment, revision } of pods)
    found.set(deployment, (found.get(deployment) ?? new Set()).add(revision));
  return found;
}
