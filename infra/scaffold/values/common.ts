import type { Input } from "@pulumi/pulumi";
import type { ImageRef } from "../imageRef.ts";
import type { ScaffoldComponent } from "../names.ts";
import { postrenderHash } from "../postrenderFiles.ts";
import type { Resources, Sizes } from "../sizes.ts";
import { containerSecurity, podSecurity, type RunAs } from "./security.ts";

/** Helm values; leaves may be Outputs, which nothing here resolves. */
export type Values = Readonly<Record<string, unknown>>;

/** How a service is reached: inside the cluster only, or on a port of every node as well. */
export type Exposure = { type: "clusterIP" } | { type: "nodePort"; port: number };

export type PodAnnotations = Readonly<Record<string, Input<string>>>;

/** What is told of every server that is a Release with nothing beside it. */
export interface ServerArgs {
  namespace: string;
  image: ImageRef;
  exposure: Exposure;
  replicas: number;
  sizes: Sizes;
  runAs?: RunAs;
  podAnnotations?: PodAnnotations;
  /** Names of the Secrets that images are pulled with. */
  pullSecrets?: readonly string[];
}

/** How the pods of such a server run: of their own size, as nobody, with no rights. */
export function podValues({ podAnnotations, runAs }: ServerArgs, resources: Resources) {
  return {
    resources,
    securityContext: podSecurity(runAs),
    containerSecurityContext: containerSecurity(),
    podAnnotations: podAnnotations ?? {},
  };
}

/** The chart creates neither namespaces nor trust: every part of it, switched off. */
const everythingOff = {
  trillian: { enabled: false },
  ctlog: { enabled: false },
  rekor: { enabled: false },
  tsa: { enabled: false },
  fulcio: { enabled: false },
  tuf: { enabled: false },
  copySecretJob: { enabled: false, copySecretCronJob: { enabled: false } },
  secrets: {
    rekor: { create: false },
    fulcio: { create: false },
    ctlog: { create: false },
    tsa: { create: false },
  },
} as const;

/**
 * The values of a Release that holds one component and nothing else. The post-renderer's hash is
 * among them, because neither Helm nor Pulumi sees that its content has changed.
 */
export function only(component: ScaffoldComponent, namespace: string, values: Values): Values {
  return {
    ...everythingOff,
    [component]: {
      ...values,
      enabled: true,
      namespace: { create: false, name: namespace },
      forceNamespace: namespace,
    },
    global: { anchorhold: { postrender: postrenderHash() } },
  };
}

/** The chart's form of an image. */
export function chartImage({ registry, repository, version }: ImageRef) {
  return { registry, repository, version, pullPolicy: "IfNotPresent" } as const;
}

/** The chart's form of an init container's image. */
export function chartInitImage({ registry, repository, version }: ImageRef) {
  return { registry, repository, version, imagePullPolicy: "IfNotPresent" } as const;
}

interface Port {
  name: string;
  port: number;
  targetPort: number;
  appProtocol?: string;
}

/** Ports of a Service in the chart's form. */
export function servicePorts(...ports: Port[]) {
  return ports.map((port) => ({ ...port, protocol: "TCP" }));
}

/**
 * The Service of a server that clients call. On a node port it has the client's port alone: any
 * other would get a random node port, metrics included.
 */
export function service(exposure: Exposure, client: Port, ...internal: Port[]) {
  if (exposure.type === "clusterIP")
    return { type: "ClusterIP", ports: servicePorts(client, ...internal) };
  const [port] = servicePorts(client);
  return { type: "NodePort", ports: [{ ...port, nodePort: exposure.port }] };
}

const often = { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3, successThreshold: 1 };
const seldom = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6, successThreshold: 1 };

/** Ready as soon as the path answers; asked every 2 s so that a roll does not wait for it. */
export function httpReadiness(path: string, port: number) {
  return { httpGet: { path, port, scheme: "HTTP" }, initialDelaySeconds: 1, ...often };
}

/** Restarts after a minute without an answer. */
export function httpLiveness(path: string, port: number) {
  return { httpGet: { path, port, scheme: "HTTP" }, initialDelaySeconds: 10, ...seldom };
}

/** Timing alone, for the probes whose kind the post-renderer sets. */
export const readinessTiming = { initialDelaySeconds: 1, ...often };
export const livenessTiming = { initialDelaySeconds: 30, ...seldom };
