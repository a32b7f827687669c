import { containerSecurity } from "./containerSecurity.ts";
import {
  deploymentSpec,
  title,
  withPod,
  type Container,
  type DeploymentSpec,
  type Manifest,
  type PodSpec,
} from "./manifest.ts";
import { leavingSeconds } from "./rolling.ts";

/** nginx in front of a server, which ends TLS inside the server's pod. */
export interface TlsProxy {
  /** A full reference. */
  image: string;
  resources: {
    requests: Readonly<Record<string, string>>;
    limits: Readonly<Record<string, string>>;
  };
}

/** On a pod that is to have one: the `TlsProxy` as JSON. */
export const tlsProxyAnnotation = "anchorhold.dev/tls-proxy";
/** On the same pod: its nginx.conf, which it reads as a file. Another one makes other pods. */
export const tlsConfigAnnotation = "anchorhold.dev/tls-proxy-config";

/** The port that such a pod takes TLS on. */
export const tlsPodPort = 8443;
/** The Service's port that leads there; the Route names it. */
export const httpsPort = { name: "https", number: 443 } as const;

/** OpenShift's service CA keeps a certificate for the Service in the Secret that this names. */
export const servingCertAnnotation = "service.beta.openshift.io/serving-cert-secret-name";
export const servingCertSecret = (service: string) => `${service}-serving-cert`;

/** Where the container finds its files. */
export const tlsPlace = { certificate: "/etc/serving-cert", config: "/etc/anchorhold" } as const;

const containerName = "tls";
/** The server ends this much later, for the requests that the proxy still brings it. */
const finishingSeconds = 4;

const annotationsOf = (manifest: Manifest) =>
  deploymentSpec(manifest)?.template.metadata?.annotations;

/** What is asked over TLS whether the pod is ready: the server's own question, certificate included. */
function readiness(manifest: Manifest, main: Container | undefined) {
  const probe = (main?.["readinessProbe"] ?? {}) as { httpGet?: { path?: string } };
  const path = probe.httpGet?.path;
  if (path === undefined)
    throw new Error(`${title(manifest)}: no path says over TLS whether the server is ready`);
  return { ...probe, httpGet: { path, port: httpsPort.name, scheme: "HTTPS" } };
}

function proxyContainer({ image, resources }: TlsProxy, readinessProbe: object): Container {
  return {
    name: containerName,
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["nginx", "-e", "stderr", "-c", `${tlsPlace.config}/nginx.conf`, "-g", "daemon off;"],
    ports: [{ name: httpsPort.name, containerPort: tlsPodPort, protocol: "TCP" }],
    securityContext: containerSecurity(),
    resources,
    readinessProbe,
    livenessProbe: {
      tcpSocket: { port: httpsPort.name },
      initialDelaySeconds: 10,
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    lifecycle: { preStop: { sleep: { seconds: leavingSeconds } } },
    volumeMounts: [
      { name: "tls-config", mountPath: tlsPlace.config, readOnly: true },
      { name: "tls-certificate", mountPath: tlsPlace.certificate, readOnly: true },
      { name: "tls-tmp", mountPath: "/tmp" },
    ],
  };
}

/** A pod waits for its certificate: a Secret that is not there yet keeps it from starting. */
const proxyVolumes = (service: string) => [
  {
    name: "tls-config",
    downwardAPI: {
      items: [
        {
          path: "nginx.conf",
          fieldRef: {
            apiVersion: "v1",
            fieldPath: `metadata.annotations['${tlsConfigAnnotation}']`,
          },
        },
      ],
    },
  },
  {
    name: "tls-certificate",
    secret: { secretName: servingCertSecret(service), defaultMode: 0o440 },
  },
  { name: "tls-tmp", emptyDir: {} },
];

function proxiedPod(manifest: Manifest, pod: PodSpec, proxy: TlsProxy, service: string): PodSpec {
  const [main, ...others] = pod.containers;
  if (main === undefined || others.some(({ name }) => name === containerName)) return pod;
  const seconds = leavingSeconds + finishingSeconds;
  const leavingLast = {
    ...main,
    lifecycle: { ...main.lifecycle, preStop: { sleep: { seconds } } },
  };
  return {
    ...pod,
    containers: [leavingLast, ...others, proxyContainer(proxy, readiness(manifest, main))],
    volumes: [...(pod.volumes ?? []), ...proxyVolumes(service)],
  };
}

interface ServiceSpec {
  selector?: Record<string, string>;
  ports?: { name?: string }[];
}

const serviceSpec = (manifest: Manifest) => manifest.spec as ServiceSpec;

function leadsTo(deployment: Manifest, { template }: DeploymentSpec) {
  const labels = template.metadata?.labels ?? {};
  return (other: Manifest): boolean =>
    other.kind === "Service" &&
    other.metadata.namespace === deployment.metadata.namespace &&
    Object.entries(serviceSpec(other).selector ?? {}).every(
      ([name, value]) => labels[name] === value,
    );
}

/** The Service with the port for TLS, and the annotation that asks for its certificate. */
function withHttps(service: Manifest): Manifest {
  const { name, annotations } = service.metadata;
  const { ports = [], ...rest } = serviceSpec(service);
  const https = { name: httpsPort.name, port: httpsPort.number, targetPort: tlsPodPort };
  const has = ports.some((port) => port.name === httpsPort.name);
  return {
    ...service,
    metadata: {
      ...service.metadata,
      annotations: { ...annotations, [servingCertAnnotation]: servingCertSecret(name) },
    },
    spec: { ...rest, ports: has ? ports : [...ports, { ...https, protocol: "TCP" }] },
  };
}

/**
 * Puts TLS in front of each server whose pod's annotations say so: a container beside it, and a port of
 * its Service.
 * @throws Error where not exactly one Service leads to such pods: the certificate is in its name
 */
export function withTlsProxies(manifests: readonly Manifest[]): Manifest[] {
  const changed = new Map<Manifest, Manifest>();
  for (const manifest of manifests) {
    const spec = deploymentSpec(manifest);
    const text = annotationsOf(manifest)?.[tlsProxyAnnotation];
    if (spec === undefined || text === undefined) continue;
    const [service, ...others] = manifests.filter(leadsTo(manifest, spec));
    if (service === undefined || others.length > 0)
      throw new Error(`${title(manifest)}: TLS needs one Service that leads there, and no other`);
    const proxy = JSON.parse(text) as TlsProxy;
    const { name } = service.metadata;
    changed.set(service, withHttps(service));
    changed.set(
      manifest,
      withPod(manifest, (pod) => proxiedPod(manifest, pod, proxy, name)),
    );
  }
  return manifests.map((manifest) => changed.get(manifest) ?? manifest);
}
