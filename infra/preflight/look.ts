import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config.ts";
import { logTarget } from "../expectations.ts";
import { growthOf, type RecordedLog } from "../observe/growth.ts";
import { kubernetesContext, viewCluster } from "../platform/cluster.ts";
import { assertCertificate, assertRoutes } from "../platform/entrance/preflight.ts";
import { certificateSecret } from "../platform/entrance/secret.ts";
import { routeApi } from "../platform/entrance/route.ts";
import { readTls, type ServerCertificate } from "../platform/entrance/certificate.ts";
import { assertMonitoring, monitoringApi } from "../platform/monitoring/preflight.ts";
import { stateName } from "../platform/tuf/signer.ts";
import { assertGrown, assertSameStack, lastCheckpoints } from "./stack.ts";
import { tufNamespace } from "../scaffold/names.ts";
import type { Memory } from "../trust/memory.ts";

/** The cluster that the update is for, after it was found to be the state's own. */
export interface Cluster {
  uid: string;
  context: string | undefined;
  /** What the Secret with the host names' certificate holds, where the configuration names one. */
  certificate: pulumi.Output<ServerCertificate> | undefined;
  /** Whether it has the kinds of the Prometheus operator; not looked at where nobody wants them. */
  hasMonitoring: boolean;
}

/**
 * Looks at the cluster and the logs before anything is registered, in previews too.
 * @throws UserError when this state must not be used on this cluster
 */
export async function look(
  memory: Memory,
  { prefix, exposure, monitoring }: Pick<Config, "prefix" | "exposure" | "monitoring">,
  now: Date,
): Promise<Cluster> {
  const context = kubernetesContext();
  const wanted = {
    timestamp: { namespace: tufNamespace(prefix), name: stateName },
    certificate: certificateSecret(exposure),
    apis: [
      ...(exposure.type === "route" ? [routeApi.apiVersion] : []),
      ...(monitoring === "none" ? [] : [monitoringApi]),
    ],
  };
  const view = await viewCluster(context, wanted);
  assertSameStack(memory, view, now);
  if (exposure.type === "route") assertRoutes(view.apis.includes(routeApi.apiVersion));
  const hasMonitoring = view.apis.includes(monitoringApi);
  assertMonitoring(monitoring, hasMonitoring);
  assertCertificate(exposure, view.certificate, now);
  const growths = await growthOf(view.config, recordedLogs(memory, prefix));
  assertGrown(growths);
  for (const growth of growths)
    if (growth.result === "unknown")
      await pulumi.log.warn(
        `${growth.name} could not be compared with its last recorded checkpoint (${growth.reason}).`,
      );
  const certificate = view.certificate && pulumi.secret(readTls(view.certificate));
  return { uid: view.uid, context, certificate, hasMonitoring };
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
