import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import type { Expectation, NamedLog } from "../../infra/observe/expectation.ts";
import { withForward } from "../../infra/observe/forward.ts";
import { logState, type LogState } from "../../infra/observe/logs.ts";
import {
  findReplicas,
  isServing,
  parseServicePort,
  type Replica,
} from "../../infra/observe/service.ts";
import { oneLine } from "../errors.ts";
import { ctLogFault } from "./ctLog.ts";
import { fulcioFault } from "./fulcio.ts";
import { mirrorFault, timestampVersion } from "./mirror.ts";

/** Why the update must wait, one line a replica; none when all is as expected. */
export async function faults(config: KubeConfig, expected: Expectation): Promise<string[]> {
  const signal = () => AbortSignal.timeout(10_000);
  const { ctLog, fulcio, mirror } = expected;
  const found = await Promise.all([
    ctLog &&
      eachReplica(config, "ct_server", await replicas(config, ctLog.service), (base) =>
        ctLogFault(ctLog, base, signal()),
      ),
    mirror && mirrorFaults(config, mirror),
    fulcio &&
      eachReplica(config, "Fulcio", await replicas(config, fulcio.service), (base, { spec }) =>
        fulcioFault(fulcio, spec, base, signal()),
      ),
  ]);
  return found.flatMap((lines) => lines ?? []);
}

/** The logs' checkpoints, each from one serving replica. @throws Error when one has none */
export async function checkpoints(
  config: KubeConfig,
  logs: readonly NamedLog[],
): Promise<Record<string, LogState>> {
  const entries = logs.map(async ({ name, ...log }): Promise<[string, LogState]> => {
    const serving = (await replicas(config, log.service)).find((replica) => replica.serving);
    if (serving === undefined) throw new Error(`${log.service}: no replica is ready`);
    const state = await withForward(config, serving, (address) =>
      logState(log, `http://${address}`, AbortSignal.timeout(10_000)),
    );
    return [name, state];
  });
  return Object.fromEntries(await Promise.all(entries));
}

const replicas = (config: KubeConfig, service: string) =>
  findReplicas(config, parseServicePort(service));

async function mirrorPods(
  config: KubeConfig,
  { service, pods = "" }: NonNullable<Expectation["mirror"]>,
): Promise<Replica[]> {
  if (service !== undefined) return replicas(config, service);
  const [, namespace = "", labelSelector = "", port] = /^([^/]+)\/(.+):(\d+)$/.exec(pods) ?? [];
  const core = config.makeApiClient(CoreV1Api);
  const { items } = await core.listNamespacedPod({ namespace, labelSelector });
  return items.map((spec) => ({
    namespace,
    pod: spec.metadata?.name ?? "",
    port: Number(port),
    serving: isServing(spec),
    spec,
  }));
}

async function mirrorFaults(
  config: KubeConfig,
  mirror: NonNullable<Expectation["mirror"]>,
): Promise<string[]> {
  const seen = mirror.after === undefined ? 0 : await newestTimestamp(config, mirror.after);
  return eachReplica(config, "TUF mirror", await mirrorPods(config, mirror), (base) =>
    mirrorFault(mirror, base, seen),
  );
}

/** The newest timestamp that clients of a Service can have met; 0 before there is one. */
async function newestTimestamp(config: KubeConfig, service: string): Promise<number> {
  const found = await replicas(config, service).catch(() => []);
  const versions = found
    .filter(({ serving }) => serving)
    .map((replica) =>
      withForward(config, replica, (address) => timestampVersion(`http://${address}`)),
    );
  return Math.max(0, ...(await Promise.all(versions)));
}

/** Every replica, one that starts or ends too, must be serving and as expected. */
async function eachReplica(
  config: KubeConfig,
  what: string,
  all: readonly Replica[],
  fault: (base: string, replica: Replica) => Promise<string | undefined>,
): Promise<string[]> {
  if (all.length === 0) return [`${what}: no pod is there`];
  const found = await Promise.all(
    all.map(async (replica): Promise<string[]> => {
      const name = `${what} ${replica.pod}`;
      if (!replica.serving) return [`${name}: not ready, or ending`];
      const seen = await withForward(config, replica, (address) =>
        fault(`http://${address}`, replica),
      ).catch((error: unknown) => oneLine(error));
      return seen === undefined ? [] : [`${name}: ${seen}`];
    }),
  );
  return found.flat();
}
