/** The shapes that the post-renderer's rules read and change. */

/** A Kubernetes object as the chart renders it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

/** A label selector; `matchLabels` is all that the chart uses. */
export interface Selector {
  matchLabels?: Record<string, string>;
}

export interface Container {
  name: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: unknown } }[];
  volumeMounts?: unknown[];
  ports?: { name?: string; containerPort: number; protocol?: string }[];
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
  [probe: string]: unknown;
}

export interface PodSpec {
  imagePullSecrets?: { name: string }[];
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  securityContext?: Record<string, unknown>;
  terminationGracePeriodSeconds?: number;
  topologySpreadConstraints?: unknown[];
  volumes?: unknown[];
  containers: Container[];
}

export interface DeploymentSpec {
  minReadySeconds?: number;
  selector: Selector;
  template: {
    metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
    spec: PodSpec;
  };
}

/** An object as error texts name it, such as `apps/v1 Deployment sigstore-tsa/tsa-server`. */
export function title({ apiVersion, kind, metadata }: Manifest): string {
  return `${apiVersion} ${kind} ${metadata.namespace ?? "(no namespace)"}/${metadata.name}`;
}

export function deploymentSpec(manifest: Manifest): DeploymentSpec | undefined {
  return manifest.kind === "Deployment" ? (manifest.spec as DeploymentSpec) : undefined;
}

/** A Deployment with another pod; every other object as it is. */
export function withPod(manifest: Manifest, change: (pod: PodSpec) => PodSpec): Manifest {
  const spec = deploymentSpec(manifest);
  if (spec === undefined) return manifest;
  const template = { ...spec.template, spec: change(spec.template.spec) };
  return { ...manifest, spec: { ...spec, template } };
}
