// The command lines and configuration files of etcd and the Kubernetes components: pure functions.
import { join } from "node:path";
import { addresses, cgroupName, deployer, nodeName, type Layout } from "./layout.ts";
import { ports } from "./ports.ts";
import type { ProcessSpec } from "./processes.ts";

/** The components in the order in which they are ended: what depends on others goes first. */
export const componentNames = [
  "kubelet",
  "kube-proxy",
  "kube-scheduler",
  "kube-controller-manager",
  "kube-apiserver",
  "etcd",
  "containerd",
] as const;

export type ComponentName = (typeof componentNames)[number];

/**
 * The issuer in every service account token. Fulcio's issuer type `kubernetes` expects this name,
 * and finds the keys at it through the cluster's own DNS.
 */
export const serviceAccountIssuer = "https://kubernetes.default.svc";

const flags = (values: Record<string, string | number | boolean>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);

const volumePlugins = (at: Layout): string => join(at.kubelet, "volume-plugins");

/** etcd, with mutual TLS on loopback. Data survives a stop; a power cut may cost it (no fsync). */
export function etcd(at: Layout): ProcessSpec {
  const url = (port: number): string => `https://127.0.0.1:${port}`;
  const clients = url(ports["etcd (clients)"]);
  const peers = url(ports["etcd (peers)"]);
  const certificate = {
    "trusted-ca-file": join(at.pki, "etcd-ca.crt"),
    "cert-file": join(at.pki, "etcd.crt"),
    "key-file": join(at.pki, "etcd.key"),
    "client-cert-auth": true,
  };
  const forPeers = Object.entries(certificate).map(([name, value]) => [`peer-${name}`, value]);
  return {
    name: "etcd",
    program: "etcd",
    args: flags({
      name: nodeName,
      "data-dir": at.etcd,
      "listen-client-urls": clients,
      "advertise-client-urls": clients,
      "listen-peer-urls": peers,
      "initial-advertise-peer-urls": peers,
      "initial-cluster": `${nodeName}=${peers}`,
      ...certificate,
      ...(Object.fromEntries(forPeers) as Record<string, string | boolean>),
      "unsafe-no-fsync": true,
      logger: "zap",
      "log-level": "warn",
    }),
  };
}

export const auditPolicyPath = (at: Layout): string => join(at.run, "audit-policy.json");
export const auditLogPath = (at: Layout): string => join(at.run, "audit.log");

/**
 * What is logged of the API's use (audit.k8s.io/v1): what the deploying identity asked for, without
 * any content. It says which rights a deployment really takes.
 */
export function auditPolicy(): object {
  return {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    rules: [{ level: "Metadata", users: [deployer.user] }, { level: "None" }],
  };
}

/**
 * kube-apiserver, bound to the bridge's address: the machine and the pods reach it, the network
 * around the machine does not.
 */
export function apiServer(at: Layout, binaries: string): ProcessSpec {
  const pki = (file: string): string => join(at.pki, file);
  return {
    name: "kube-apiserver",
    program: join(binaries, "kube-apiserver"),
    args: flags({
      "advertise-address": addresses.node,
      "bind-address": addresses.node,
      "secure-port": ports["kube-apiserver"],
      "tls-cert-file": pki("kube-apiserver.crt"),
      "tls-private-key-file": pki("kube-apiserver.key"),
      "client-ca-file": pki("ca.crt"),
      "etcd-servers": `https://127.0.0.1:${ports["etcd (clients)"]}`,
      "etcd-cafile": pki("etcd-ca.crt"),
      "etcd-certfile": pki("kube-apiserver-etcd.crt"),
      "etcd-keyfile": pki("kube-apiserver-etcd.key"),
      "kubelet-certificate-authority": pki("ca.crt"),
      "kubelet-client-certificate": pki("kube-apiserver-kubelet.crt"),
      "kubelet-client-key": pki("kube-apiserver-kubelet.key"),
      "kubelet-preferred-address-types": "InternalIP",
      "service-account-issuer": serviceAccountIssuer,
      "service-account-jwks-uri": `${serviceAccountIssuer}/openid/v1/jwks`,
      "service-account-key-file": pki("sa.pub"),
      "service-account-signing-key-file": pki("sa.key"),
      "service-cluster-ip-range": addresses.services,
      "authorization-mode": "Node,RBAC",
      "enable-admission-plugins": "NodeRestriction",
      "allow-privileged": true,
      "audit-policy-file": auditPolicyPath(at),
      "audit-log-path": auditLogPath(at),
      "audit-log-maxsize": 50, // megabytes
      "audit-log-maxbackup": 1,
      profiling: false,
    }),
  };
}

export function controllerManager(at: Layout, binaries: string): ProcessSpec {
  return {
    name: "kube-controller-manager",
    program: join(binaries, "kube-controller-manager"),
    args: flags({
      ...controlLoop(at, "kube-controller-manager"),
      "service-account-private-key-file": join(at.pki, "sa.key"),
      "root-ca-file": join(at.pki, "ca.crt"),
      "use-service-account-credentials": true,
      "flex-volume-plugin-dir": volumePlugins(at), // else it makes /usr/libexec/kubernetes
      // One node: declaring it lost because the machine was busy would help nobody.
      "node-monitor-grace-period": "2m",
    }),
  };
}

export function scheduler(at: Layout, binaries: string): ProcessSpec {
  return {
    name: "kube-scheduler",
    program: join(binaries, "kube-scheduler"),
    args: flags(controlLoop(at, "kube-scheduler")),
  };
}

function controlLoop(
  at: Layout,
  name: "kube-controller-manager" | "kube-scheduler",
): Record<string, string | number | boolean> {
  const kubeconfig = join(at.pki, `${name}.kubeconfig`);
  return {
    kubeconfig,
    "authentication-kubeconfig": kubeconfig,
    "authorization-kubeconfig": kubeconfig,
    "bind-address": "127.0.0.1",
    "secure-port": ports[name],
    "leader-elect": false,
    profiling: false,
  };
}

export const proxyConfigPath = (at: Layout): string => join(at.run, "kube-proxy.json");

export function proxy(at: Layout, binaries: string): ProcessSpec {
  return {
    name: "kube-proxy",
    program: join(binaries, "kube-proxy"),
    args: flags({ config: proxyConfigPath(at), "hostname-override": nodeName }),
  };
}

/**
 * kube-proxy's configuration (kubeproxy.config.k8s.io/v1alpha1). NodePorts answer on loopback
 * only: a private instance on a laptop is not the network's business. Zeros leave the kernel's
 * connection tracking as it is.
 */
export function proxyConfig(at: Layout): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: join(at.pki, "kube-proxy.kubeconfig") },
    mode: "iptables",
    clusterCIDR: addresses.pods,
    bindAddress: "0.0.0.0",
    healthzBindAddress: `127.0.0.1:${ports["kube-proxy (health)"]}`,
    metricsBindAddress: `127.0.0.1:${ports["kube-proxy (metrics)"]}`,
    nodePortAddresses: ["127.0.0.0/8"],
    iptables: { localhostNodePorts: true, minSyncPeriod: "100ms" },
    conntrack: {
      maxPerCore: 0,
      min: 0,
      tcpEstablishedTimeout: "0s",
      tcpCloseWaitTimeout: "0s",
    },
  };
}

export const kubeletConfigPath = (at: Layout): string => join(at.run, "kubelet.json");

export function kubelet(at: Layout, binaries: string): ProcessSpec {
  return {
    name: "kubelet",
    program: join(binaries, "kubelet"),
    args: flags({
      config: kubeletConfigPath(at),
      kubeconfig: join(at.pki, "kubelet.kubeconfig"),
      "root-dir": at.kubelet,
      "hostname-override": nodeName,
      "node-ip": addresses.node,
    }),
  };
}

/**
 * kubelet's configuration (kubelet.config.k8s.io/v1beta1).
 * - Eviction only when the disk is really full, and images never collected: they are a cache that
 *   nothing could pull again.
 * - A crashed container is tried again after 5 s at most: services wait for their database by
 *   crashing, and here nobody else is protected by a longer pause.
 */
export function kubeletConfig(at: Layout): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: addresses.node,
    port: ports["kubelet (API)"],
    healthzBindAddress: "127.0.0.1",
    healthzPort: ports["kubelet (health)"],
    tlsCertFile: join(at.pki, "kubelet-server.crt"),
    tlsPrivateKeyFile: join(at.pki, "kubelet-server.key"),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(at.pki, "ca.crt") },
    },
    authorization: { mode: "Webhook" },
    containerRuntimeEndpoint: `unix://${at.containerdSocket}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroupName}`,
    failCgroupV1: false,
    failSwapOn: false,
    resolvConf: "/dev/null",
    clusterDNS: [addresses.dns],
    clusterDomain: "cluster.local",
    podLogsDir: at.podLogs,
    volumePluginDir: volumePlugins(at),
    evictionHard: {
      "memory.available": "100Mi",
      "nodefs.available": "500Mi",
      "imagefs.available": "500Mi",
      "nodefs.inodesFree": "1%",
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    featureGates: { KubeletCrashLoopBackOffMax: true },
    crashLoopBackOff: { maxContainerRestartPeriod: "5s" },
  };
}
