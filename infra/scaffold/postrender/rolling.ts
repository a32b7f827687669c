import { roleOf } from "./known.ts";
import {
  deploymentSpec,
  type Container,
  type Manifest,
  type PodSpec,
  type Selector,
} from "./manifest.ts";

/**
 * A pod that is told to stop keeps serving for as long as others may still send to it: every node's
 * kube-proxy and every ingress hears of it in its own time.
 */
export const leavingSeconds = 6;
/** Then it is asked to end, and has this long for the requests that it works on. */
const shutdownSeconds = 30;
/** A new pod that dies in its first moments takes no old one's place. */
const settledSeconds = 2;
/** Pods above their number while a server rolls. */
export const surgePods = 1;

const sleepOf = (container: Container | undefined) => container?.lifecycle?.preStop?.sleep?.seconds;

/** Kubernetes' own sleep (on since 1.30), because the images have no shell. A hook of its own stays. */
function leavingSlowly(container: Container): Container {
  const preStop = container.lifecycle?.preStop ?? { sleep: { seconds: leavingSeconds } };
  return { ...container, lifecycle: { ...container.lifecycle, preStop } };
}

/** Soft: on a cluster of one node both pods run there. Each revision is spread by itself. */
function spreadOver(selector: Selector) {
  return {
    maxSkew: 1,
    topologyKey: "kubernetes.io/hostname",
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: selector,
    matchLabelKeys: ["pod-template-hash"],
  };
}

function rollingPod(pod: PodSpec, selector: Selector): PodSpec {
  const [main, ...others] = pod.containers;
  const containers = main === undefined ? [] : [leavingSlowly(main), ...others];
  const leaving = sleepOf(containers[0]) ?? leavingSeconds;
  const spread = pod.topologySpreadConstraints ?? [];
  return {
    ...pod,
    terminationGracePeriodSeconds: Math.max(
      pod.terminationGracePeriodSeconds ?? 0,
      leaving + shutdownSeconds,
    ),
    topologySpreadConstraints: spread.length > 0 ? spread : [spreadOver(selector)],
    containers,
  };
}

/**
 * A server's Deployment that rolls without a dropped request: as the chart has it, the old pod ends
 * while requests are still on their way to it and, of four or more, before a new one serves.
 */
export function rolling(manifest: Manifest): Manifest {
  const spec = deploymentSpec(manifest);
  if (spec === undefined || roleOf(manifest) !== "server") return manifest;
  return {
    ...manifest,
    spec: {
      ...spec,
      minReadySeconds: Math.max(spec.minReadySeconds ?? 0, settledSeconds),
      strategy: {
        type: "RollingUpdate",
        rollingUpdate: { maxSurge: surgePods, maxUnavailable: 0 },
      },
      template: { ...spec.template, spec: rollingPod(spec.template.spec, spec.selector) },
    },
  };
}
