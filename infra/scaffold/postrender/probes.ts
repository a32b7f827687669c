import { title, withPod, type Container, type Manifest } from "./manifest.ts";

function firstPort(manifest: Manifest, container: Container): number {
  const port = container.ports?.[0]?.containerPort;
  if (port !== undefined) return port;
  throw new Error(`${title(manifest)}: container ${container.name} has no port to probe`);
}

type Probe = { exec?: unknown } & Record<string, unknown>;

/** The chart's exec probes call programs of one certain image; TCP works with any. */
function tcpForExec(manifest: Manifest, container: Container): Container {
  const changed = { ...container };
  for (const key of ["readinessProbe", "livenessProbe"]) {
    const { exec, ...timing } = (container[key] ?? {}) as Probe;
    if (exec !== undefined)
      changed[key] = { ...timing, tcpSocket: { port: firstPort(manifest, container) } };
  }
  return changed;
}

/** The chart gives the TSA no probes, so a pod counts as ready before it listens. */
function withTsaProbes(manifest: Manifest, container: Container): Container {
  if (manifest.metadata.labels?.["app.kubernetes.io/name"] !== "tsa") return container;
  const httpGet = { path: "/ping", port: firstPort(manifest, container), scheme: "HTTP" };
  const timing = { timeoutSeconds: 2, successThreshold: 1 };
  return {
    readinessProbe: {
      httpGet,
      initialDelaySeconds: 1,
      periodSeconds: 2,
      failureThreshold: 3,
      ...timing,
    },
    livenessProbe: {
      httpGet,
      initialDelaySeconds: 10,
      periodSeconds: 10,
      failureThreshold: 6,
      ...timing,
    },
    ...container,
  };
}

/** Probes that work with any image, and some for the TSA, which has none. */
export function probed(manifest: Manifest): Manifest {
  return withPod(manifest, (pod) => ({
    ...pod,
    containers: pod.containers.map((container) =>
      withTsaProbes(manifest, tcpForExec(manifest, container)),
    ),
  }));
}
