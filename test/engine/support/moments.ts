import type { Witness } from "../../../local/pulumi/host.ts";
import { refOf } from "../../../local/pulumi/kubernetes/cluster.ts";
import type { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import type { Plugin, Resource } from "../../../local/pulumi/plugin.ts";
import { textAt, type Props } from "../../../local/pulumi/values.ts";
import type { TrillianStandIn } from "../../support/trillian.ts";
import type { Watched } from "./engine.ts";
import { MonitorProxy } from "./monitorProxy.ts";

/**
 * A point in an update at which it may be killed, the same in every run of the same update:
 * - `done create NAME`: the plugin has done its work, the engine has not heard of it. What is left
 *   is a pending operation in the state, and an object that the state does not know.
 * - `recorded NAME`: the engine has written the resource down, the program has not heard of it.
 *   This is the one way to see resources that no plugin makes (Stash, components).
 * - `helm NAME`: Helm has written all objects of a release and not yet that it is deployed.
 * - `trillian METHOD NAME`: Trillian has made or initialised a tree and not yet said so.
 */
export type Moment = string;

/** Thrown into the work of plugins that have no cluster any more. */
class Severed extends Error {
  override readonly name = "Severed";
}

/** Looks on at one run of an update and can end it at a moment. */
export class Observation {
  /** The moments that came, in order. */
  readonly moments: Moment[] = [];
  readonly killed = new AbortController();
  private readonly killAt: Moment | undefined;
  private readonly proxy = new MonitorProxy((urn) => this.reach(momentOf(urn)));

  /** @param killAt when to end the update; never, if left out */
  constructor(killAt?: Moment) {
    this.killAt = killAt;
    this.killed.signal.addEventListener("abort", () => this.proxy.close());
  }

  /** For a command of the engine. */
  watch(cluster: MemoryCluster, trillian: TrillianStandIn): Watched {
    trillian.worked = (method, { displayName }) =>
      void this.reach(`trillian ${method} ${displayName}`);
    const witness: Witness = {
      plugin: (plugin) => this.watched(plugin),
      monitor: (address) => this.proxy.serve(address),
    };
    return { witness, kill: this.killed.signal, cluster: this.connection(cluster) };
  }

  close(): void {
    this.proxy.close();
  }

  /** Returns while the update lives; for one that is dead there is no next step. */
  private reach(moment: Moment): Promise<void> {
    if (!this.killed.signal.aborted) this.moments.push(moment);
    if (moment === this.killAt) this.killed.abort();
    return this.killed.signal.aborted ? new Promise(() => undefined) : Promise.resolve();
  }

  private watched(plugin: Plugin): Plugin {
    const after = async <T>(op: string, { urn, preview }: Call, work: Promise<T>): Promise<T> => {
      const result = await work;
      if (preview !== true) await this.reach(`done ${op} ${nameOf(urn)}`);
      return result;
    };
    return {
      ...plugin,
      create: (request) => after("create", request, plugin.create(request)),
      update: (request) => after("update", request, plugin.update(request)),
      delete: (request) => after("delete", request, plugin.delete(request)),
    };
  }

  /** The cluster as this update reaches it: once it is killed, nothing of it gets through. */
  private connection(cluster: MemoryCluster): MemoryCluster {
    return new Proxy(cluster, {
      get: (target, key) => {
        if (this.killed.signal.aborted) throw new Severed("the connection is gone");
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        if (key !== "put") return (value as () => unknown).bind(target);
        return (object: Props) => {
          if (isDeployed(object)) void this.reach(`helm ${refOf(object).name}`);
          if (this.killed.signal.aborted) throw new Severed("the connection is gone");
          target.put(object);
        };
      },
    });
  }
}

type Call = Resource & { preview?: boolean };

/** Helm's record of a revision that is complete. */
function isDeployed(object: Props): boolean {
  const status = textAt(object, "metadata", "labels", "status");
  return textAt(object, "type") === "helm.sh/release.v1" && status === "deployed";
}

/** When the engine has recorded this resource. */
export function momentOf(urn: string): Moment {
  return `recorded ${nameOf(urn)}`;
}

/** Type and name, as in a URN: short, and still one of a kind. */
function nameOf(urn: string): string {
  const [, , types = "", name = ""] = urn.split("::");
  return `${types.split("$").at(-1)}::${name}`;
}
