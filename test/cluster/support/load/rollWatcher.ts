import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { RollTracker, type Roll, type SeenPod } from "./rolls.ts";

/** How often it looks, and for how long it may see nothing before its findings are no good; ms. */
const interval = 250;
const blindLimit = 5_000;

/** Watches the Deployments of some namespaces for rolls, through the Kubernetes API. */
export class RollWatcher {
  private readonly tracker = new RollTracker();
  private readonly stopped = new AbortController();
  private readonly looking: Promise<void>;

  /** @param namespacePrefix what the watched namespaces begin with */
  constructor(namespacePrefix: string) {
    this.looking = this.look(namespacePrefix);
    // Whoever stops the watcher learns of it.
    this.looking.catch(() => undefined);
  }

  /** Rolls that are over. */
  get rolls(): readonly Roll[] {
    return this.tracker.rolls;
  }

  /** Waits until no roll is under way. */
  async settled(limitMs = 120_000): Promise<void> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      await Promise.race([sleep(2 * interval), this.looking]);
      if (this.tracker.open.length === 0) return;
      if (Date.now() > deadline) throw new Error(`still rolling: ${this.tracker.open.join(", ")}`);
    }
  }

  /** @throws {Error} when it could not look for so long that rolls may have gone unseen */
  async stop(): Promise<readonly Roll[]> {
    this.stopped.abort();
    await this.looking;
    return this.rolls;
  }

  private async look(namespacePrefix: string): Promise<void> {
    const config = new KubeConfig();
    config.loadFromDefault();
    const core = config.makeApiClient(CoreV1Api);
    for (let seen = Date.now(); !this.stopped.signal.aborted;) {
      try {
        // Version "0": from the API server's own cache, which costs it next to nothing.
        const { items } = await core.listPodForAllNamespaces({ resourceVersion: "0" });
        seen = Date.now();
        this.tracker.observe(seenPods(items, namespacePrefix), seen);
      } catch (error) {
        if (Date.now() - seen > blindLimit)
          throw new Error(`no pods seen for ${blindLimit} ms`, { cause: error });
      }
      await sleep(interval, undefined, { signal: this.stopped.signal }).catch(() => undefined);
    }
  }
}

/** The pods of Deployments that have not ended; those of Jobs have no template hash. */
function seenPods(pods: readonly V1Pod[], namespacePrefix: string): SeenPod[] {
  return pods.flatMap(({ metadata, status }): SeenPod[] => {
    const owner = metadata?.ownerReferences?.find(({ kind }) => kind === "ReplicaSet")?.name;
    const revision = metadata?.labels?.["pod-template-hash"];
    const namespace = metadata?.namespace ?? "";
    const isThere = status?.phase === "Pending" || status?.phase === "Running";
    if (owner === undefined || revision === undefined || !isThere) return [];
    if (!namespace.startsWith(namespacePrefix)) return [];
    return [{ deployment: `${namespace}/${owner.slice(0, -revision.length - 1)}`, revision }];
  });
}
