import { at, isObject, listAt, textAt, type Props } from "../../../../local/pulumi/values.ts";
import type { MemoryCluster } from "../../../../local/pulumi/kubernetes/memoryCluster.ts";
import { portNumber } from "../pods.ts";
import { fulcio, tsa, type Dial } from "./authorities.ts";
import { ContainerView, NotStarted } from "./container.ts";
import { ctServer } from "./ctServer.ts";
import type { Service } from "./http.ts";
import { nginx } from "./nginx.ts";
import { rekor } from "./rekor.ts";
import type { Trees } from "./trees.ts";

/** What the programs of a pod need of the world around them. */
export interface Surroundings {
  cluster: MemoryCluster;
  trees: Trees;
  dial: Dial;
}

/** What a running pod answers, by port. */
export type Ports = ReadonlyMap<number, Service>;

/**
 * Starts the pod as it stands now. Containers without a stand-in (databases, caches) run and serve
 * nothing.
 * @throws {NotStarted} when a container cannot start
 */
export function start(pod: Props, around: Surroundings): Ports {
  const ports = new Map<number, Service>();
  for (const container of [
    ...listAt(pod, "spec", "initContainers"),
    ...listAt(pod, "spec", "containers"),
  ]) {
    const view = new ContainerView(around.cluster, pod, container);
    for (const [port, service] of program(view, around, ports)) ports.set(port, service);
  }
  return ports;
}

/** The program is told by its own flags, since images may come from anywhere. */
function program(
  view: ContainerView,
  { trees, dial }: Surroundings,
  started: Ports,
): [number, Service][] {
  try {
    if (view.flag("--log_config") !== undefined)
      return [[portOf(view, "--http_endpoint"), ctServer(view, trees)]];
    if (view.flag("--ct-log-url") !== undefined)
      return [[portOf(view, "--port"), fulcio(view, dial)]];
    if (view.flag("--rekor_server.signer") !== undefined) return [[3000, rekor(view, trees)]];
    if (view.flag("--timestamp-signer") !== undefined) return [[portOf(view, "--port"), tsa(view)]];
    if (view.argv[0] === "nginx") return nginx(view, (port) => started.get(port));
    return [];
  } catch (error) {
    // A file that is no key, certificate or JSON: the real program ends as well.
    throw error instanceof NotStarted ? error : new NotStarted((error as Error).message);
  }
}

/** The port at the end of a flag's value. */
function portOf(view: ContainerView, flag: string): number {
  return Number(/\d+$/.exec(view.flag(flag) ?? "")?.[0]);
}

/** The first HTTP readiness probe of the pod that fails, in words; nothing when all pass. */
export function unready(pod: Props, ports: Ports): string | undefined {
  // No stand-in for what runs there: nobody to ask.
  if (ports.size === 0) return undefined;
  for (const container of listAt(pod, "spec", "containers")) {
    const check = at(container, "readinessProbe", "httpGet");
    if (!isObject(check)) continue;
    const service = ports.get(portNumber(pod, check["port"]));
    const path = textAt(check, "path");
    const status = service?.get(path).status;
    if (status !== 200) return `Readiness probe failed: ${path} answered ${status ?? "nothing"}`;
  }
  return undefined;
}
