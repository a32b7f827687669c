import * as pulumi from "@pulumi/pulumi";
import { logTarget } from "./expectations.ts";
import { growthOf, type RecordedLog } from "./observe/growth.ts";
import { kubernetesContext, viewCluster } from "./platform/cluster.ts";
import { stateName } from "./platform/tuf/signer.ts";
import { assertGrown, assertSameStack, lastCheckpoints } from "./preflight.ts";
import { tufNamespace } from "./scaffold/names.ts";
import type { Memory } from "./trust/memory.ts";

/** The cluster that the update is for, after it was found to be the state's own. */
export interface Cluster {
  uid: string;
  context: string | undefined;
}

/**
 * Looks at the cluster and the logs before anything is registered, in previews too.
 * @throws UserError when this state must not be used on this cluster
 */
export async function look(memory: Memory, prefix: string, now: Date): Promise<Cluster> {
  const context = kubernetesContext();
  const timestamp = { namespace: tufNamespace(prefix), name: stateName };
  const view = await viewCluster(context, timestamp);
  assertSameStack(memory, view, now);
  const growths = await growthOf(view.config, recordedLogs(memory, prefix));
  assertGrown(growths);
  for (const growth of growths)
    if (growth.result === "unknown")
      await pulumi.log.warn(
        `${growth.name} could not be compared with its last recorded checkpoint (${growth.reason}).`,
      );
  return { uid: view.uid, context };
}

/** Every log with a recorded checkpoint that is still served. */
function recordedLogs(memory: Memory, prefix: string): RecordedLog[] {
  const recorded = lastCheckpoints(memory);
  return (["ctLog", "rekor"] as const).flatMap((kind) => {
    const { records, retired, distrusted } = memory.kinds[kind];
    return Object.entries(records).flatMap(([number, record]): RecordedLog[] => {
      const name = `${kind === "ctLog" ? "ctlog" : "rekor"}-${number}`;
      const checkpoint = recorded[name];
      if (checkpoint === undefined || number in retired || number in distrusted) return [];
      return [{ ...logTarget(kind, prefix, record), name, recorded: checkpoint }];
    });
  });
}
