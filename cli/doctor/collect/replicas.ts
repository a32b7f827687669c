import type { KubeConfig, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { withForward } from "../../../infra/observe/forward.ts";
import {
  findReplicas,
  parseServicePort,
  type Replica as Pod,
} from "../../../infra/observe/service.ts";
import { oneLine } from "../../errors.ts";
import type { Replica } from "../evidence.ts";

/** Asks one pod, reached at `base`, and tells its clock. */
export type Inspect<T> = (
  base: string,
  signal: AbortSignal,
) => Promise<{ answer: T; clock: Date | undefined }>;

/** Milliseconds for all that one pod is asked. */
const patience = 10_000;

/** Every pod behind a Service ("NAMESPACE/SERVICE:PORT") with its answer; none without the Service. */
export async function askReplicas<T>(
  config: KubeConfig,
  service: string,
  inspect: Inspect<T>,
): Promise<Replica<T>[]> {
  // That there is no such Service, or port, is seen by comparing the objects.
  const pods = await findReplicas(config, parseServicePort(service)).catch((): Pod[] => []);
  return await Promise.all(pods.map((pod) => askPod(config, pod, inspect)));
}

async function askPod<T>(config: KubeConfig, pod: Pod, inspect: Inspect<T>): Promise<Replica<T>> {
  const { namespace, pod: name, serving, spec } = pod;
  const replica = { namespace, pod: name, serving };
  if (!serving) return { ...replica, trouble: podTrouble(spec) };
  return await withForward(config, pod, async (address) => {
    const base = `http://${address}`;
    try {
      return { ...replica, ...(await inspect(base, AbortSignal.timeout(patience))) };
    } catch (error) {
      // The local port of the forward says nothing to anybody.
      return { ...replica, trouble: oneLine(error).replaceAll(base, "") };
    }
  });
}

/** What Kubernetes says about a pod that is not ready. */
export function podTrouble({ metadata, status }: V1Pod): string {
  if (metadata?.deletionTimestamp !== undefined) return "it is ending";
  const containers = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ];
  const [reason] = containers.flatMap((container) => containerTrouble(container) ?? []);
  const unmet = status?.conditions?.find(
    ({ status: met, message }) => met === "False" && message !== undefined,
  );
  return reason ?? unmet?.message ?? "it is not ready";
}

function containerTrouble({ state, lastState }: V1ContainerStatus): string | undefined {
  const ended = lastState?.terminated ?? state?.terminated;
  const words = [state?.waiting?.reason, state?.waiting?.message, ended?.message?.trim()];
  const known = words.filter((word) => word !== undefined && word !== "");
  return known.length === 0 ? undefined : known.join(": ").slice(0, 300);
}
