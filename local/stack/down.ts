import { stopKind } from "../kind/index.ts";
import { formerCluster } from "../ladder/cluster.ts";
import { stopNode } from "../node/index.ts";
import type { Report } from "../report.ts";
import { knownChoices } from "./choices.ts";
import { removeState } from "./environment.ts";

/**
 * Ends the cluster that the stack runs on, if it was made here.
 * @param options.purge remove its volumes and the stack's state as well: the keys are gone for ever
 */
export async function down(options: { purge: boolean }, report: Report): Promise<void> {
  const known = knownChoices();
  const cluster = formerCluster(known);
  if (cluster === "context")
    report(`Cluster: the one of context ${known?.context ?? "unknown"} stays as it is`);
  // Not known when the first start ended early: then whatever is there.
  const wasKind = cluster !== "node" && cluster !== "context" && (await stopKind(options, report));
  if (cluster === "node" || (cluster === undefined && !wasKind)) await stopNode(options, report);
  if (options.purge) removeState(report);
}
