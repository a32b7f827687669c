// What every cluster has and a bare API server lacks: names, storage, open issuer keys.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { addresses } from "./layout.ts";

/** An object and the path of the API at which it is applied. */
export interface Manifest {
  path: string;
  object: object;
}

const rbac = "rbac.authorization.k8s.io";

interface Metadata {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

function manifest(
  group: string,
  plural: string,
  object: { metadata: Metadata } & Record<string, unknown>,
): Manifest {
  const { name, namespace } = object.metadata;
  const root = group === "v1" ? "/api/v1" : `/apis/${group}`;
  const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return {
    path: `${root}${scope}/${plural}/${name}`,
    object: { apiVersion: group, ...object },
  };
}

/**
 * Lets anybody read the keys that sign service account tokens. Fulcio checks tokens of the cluster
 * as any OpenID Connect client does: without a token of its own.
 */
export function issuerDiscovery(): Manifest {
  return manifest(`${rbac}/v1`, "clusterrolebindings", {
    kind: "ClusterRoleBinding",
    metadata: { name: "anchorhold:service-account-issuer-discovery" },
    roleRef: {
      apiGroup: rbac,
      kind: "ClusterRole",
      name: "system:service-account-issuer-discovery",
    },
    subjects: [{ apiGroup: rbac, kind: "Group", name: "system:unauthenticated" }],
  });
}

/** The default storage class: claims are bound to the volumes below, nothing is provisioned. */
export function storageClass(): Manifest {
  return manifest("storage.k8s.io/v1", "storageclasses", {
    kind: "StorageClass",
    metadata: {
      name: "local",
      annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
    },
    provisioner: "kubernetes.io/no-provisioner",
    reclaimPolicy: "Retain",
    volumeBindingMode: "Immediate",
    // A folder has no size, so a claim that asks for more is simply accepted.
    allowVolumeExpansion: true,
  });
}

/** A volume's name: `anchorhold-volume-<number>`. */
const volumePrefix = "anchorhold-volume-";

/** The volume of a number: a folder of the machine, kept whatever happens to its claim. */
export function volume(number: number, folder: string): Manifest {
  return manifest("v1", "persistentvolumes", {
    kind: "PersistentVolume",
    metadata: { name: `${volumePrefix}${number}` },
    spec: {
      capacity: { storage: "20Gi" },
      accessModes: ["ReadWriteOnce", "ReadWriteMany"],
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: "local",
      hostPath: { path: join(folder, String(number)), type: "Directory" },
    },
  });
}

/** Folder of a volume on the machine. */
export const volumeFolder = (folder: string, number: number): string =>
  join(folder, String(number));

/** How many unclaimed volumes a start leaves. */
const spareVolumes = 6;

/**
 * Numbers of the volumes that must exist: those that do, and new ones until enough are unclaimed.
 * A volume whose claim was deleted keeps its data and is never given to another claim.
 */
export function volumeNumbers(
  existing: readonly { metadata: { name: string }; spec: { claimRef?: unknown } }[],
): number[] {
  const ours = existing.filter(({ metadata }) => metadata.name.startsWith(volumePrefix));
  const numbers = ours.map(({ metadata }) => Number(metadata.name.slice(volumePrefix.length)));
  const free = ours.filter(({ spec }) => spec.claimRef === undefined).length;
  const last = Math.max(0, ...numbers);
  const missing = Math.max(0, spareVolumes - free);
  const added = Array.from({ length: missing }, (_, index) => last + 1 + index);
  return [...numbers, ...added].sort((a, b) => a - b);
}

// On a port that needs no rights, the one of OpenShift's DNS, which network policies expect. Two
// blocks, since within one the template would answer before the cluster's names are looked at.
const corefile = `cluster.local:5353 in-addr.arpa:5353 ip6.arpa:5353 {
  errors
  health :8080
  ready :8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    ttl 5
  }
}
.:5353 {
  errors
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;

const dnsLabels = { "k8s-app": "kube-dns" };
const dnsName = { name: "coredns", namespace: "kube-system" };

/** CoreDNS for cluster.local. Names of the world outside do not exist (NXDOMAIN, at once). */
export function coreDns(image: string): Manifest[] {
  return [
    manifest("v1", "serviceaccounts", { kind: "ServiceAccount", metadata: dnsName }),
    manifest(`${rbac}/v1`, "clusterroles", {
      kind: "ClusterRole",
      metadata: { name: "system:coredns" },
      rules: [
        {
          apiGroups: [""],
          resources: ["endpoints", "services", "pods", "namespaces"],
          verbs: ["list", "watch"],
        },
        {
          apiGroups: ["discovery.k8s.io"],
          resources: ["endpointslices"],
          verbs: ["list", "watch"],
        },
      ],
    }),
    manifest(`${rbac}/v1`, "clusterrolebindings", {
      kind: "ClusterRoleBinding",
      metadata: { name: "system:coredns" },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "system:coredns" },
      subjects: [{ kind: "ServiceAccount", ...dnsName }],
    }),
    manifest("v1", "configmaps", {
      kind: "ConfigMap",
      metadata: dnsName,
      data: { Corefile: corefile },
    }),
    coreDnsDeployment(image),
    coreDnsService(),
  ];
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

function coreDnsDeployment(image: string): Manifest {
  return manifest("apps/v1", "deployments", {
    kind: "Deployment",
    metadata: { ...dnsName, labels: dnsLabels },
    spec: {
      replicas: 1,
      selector: { matchLabels: dnsLabels },
      template: {
        // A changed configuration must reach the pods.
        metadata: { labels: dnsLabels, annotations: { "anchorhold/corefile": digest(corefile) } },
        spec: {
          serviceAccountName: "coredns",
          priorityClassName: "system-cluster-critical",
          dnsPolicy: "Default",
          securityContext: { runAsNonRoot: true, runAsUser: 65532 },
          containers: [coreDnsContainer(image)],
          volumes: [{ name: "config", configMap: { name: "coredns" } }],
        },
      },
    },
  });
}

function coreDnsContainer(image: string): object {
  const probe = (path: string, port: number): object => ({
    httpGet: { path, port },
    periodSeconds: 2,
    failureThreshold: 5,
  });
  return {
    name: "coredns",
    image,
    args: ["-conf", "/etc/coredns/Corefile"],
    ports: [
      { name: "dns", containerPort: 5353, protocol: "UDP" },
      { name: "dns-tcp", containerPort: 5353, protocol: "TCP" },
    ],
    resources: { requests: { cpu: "20m", memory: "32Mi" }, limits: { memory: "128Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    readinessProbe: probe("/ready", 8181),
    livenessProbe: probe("/health", 8080),
    volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
  };
}

function coreDnsService(): Manifest {
  return manifest("v1", "services", {
    kind: "Service",
    metadata: { name: "kube-dns", namespace: "kube-system", labels: dnsLabels },
    spec: {
      clusterIP: addresses.dns,
      selector: dnsLabels,
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: "dns" },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: "dns-tcp" },
      ],
    },
  });
}
