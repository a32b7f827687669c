import { deploymentSpec, withPod, type Container, type Manifest } from "./manifest.ts";

/** A ConfigMap that a pod gets as a folder, and the variable that tells its server of it. */
interface Folder {
  /** On the pod, with the ConfigMap's name: the chart has no value for volumes. */
  annotation: string;
  volume: string;
  mountPath: string;
  variable: { name: string; value: string };
}

const caPath = "/etc/anchorhold/ca";
const ntpPath = "/etc/anchorhold/ntp";
/** The file in the ConfigMap of time servers. */
export const ntpFileName = "ntp.yaml";

/** CA certificates beside those of the image: Go reads every file of these folders (crypto/x509). */
export const caFolder: Folder = {
  annotation: "anchorhold.dev/ca-bundle",
  volume: "ca-bundle",
  mountPath: caPath,
  variable: { name: "SSL_CERT_DIR", value: `/etc/ssl/certs:${caPath}` },
};

/** Time servers: timestamp-server reads each flag from the environment as well. */
export const ntpFolder: Folder = {
  annotation: "anchorhold.dev/ntp",
  volume: "ntp",
  mountPath: ntpPath,
  variable: { name: "NTP-MONITORING", value: `${ntpPath}/${ntpFileName}` },
};

/** On a pod: what its server's variables of the same names say, in lower case with dashes. */
export const proxyVariables = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] as const;
export const proxyAnnotation = (variable: (typeof proxyVariables)[number]): string =>
  `anchorhold.dev/${variable.toLowerCase().replace("_", "-")}`;

type Variable = NonNullable<Container["env"]>[number];

/** A list with what is not in it yet by name: to run it again adds nothing. */
function joined<T extends { name?: string }>(list: readonly T[], more: readonly T[]): T[] {
  const names = new Set(list.map(({ name }) => name));
  return [...list, ...more.filter(({ name }) => !names.has(name))];
}

/**
 * What a server needs that calls others outside the cluster, by its pod's annotations: folders of
 * CA certificates and time servers, and the proxy in its environment.
 */
export function outward(manifest: Manifest): Manifest {
  const { annotations = {} } = deploymentSpec(manifest)?.template.metadata ?? {};
  const folders = [caFolder, ntpFolder].filter(({ annotation }) => annotation in annotations);
  const proxy = proxyVariables.flatMap((name): Variable[] => {
    const value = annotations[proxyAnnotation(name)];
    return value === undefined ? [] : [{ name, value }];
  });
  if (folders.length + proxy.length === 0) return manifest;
  const env = [...folders.map(({ variable }) => variable), ...proxy];
  const mounts = folders.map(({ volume: name, mountPath }) => ({
    name,
    mountPath,
    readOnly: true,
  }));
  const volumes = folders.map(({ annotation, volume }) => ({
    name: volume,
    configMap: { name: annotations[annotation] },
  }));
  const calling = (container: Container): Container => ({
    ...container,
    env: joined(container.env ?? [], env),
    ...(mounts.length === 0
      ? {}
      : { volumeMounts: joined((container.volumeMounts ?? []) as Named[], mounts) }),
  });
  return withPod(manifest, (pod) => ({
    ...pod,
    containers: pod.containers.map(calling),
    ...(volumes.length === 0 ? {} : { volumes: joined((pod.volumes ?? []) as Named[], volumes) }),
  }));
}

type Named = { name?: string };
