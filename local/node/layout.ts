import { join } from "node:path";
import { cacheDir, homeDir, runDir } from "../paths.ts";

/** The name under which the machine is a Kubernetes node. */
export const nodeName = "anchorhold";

/** Addresses of the cluster. The bridge has the first address of the pods' network. */
export const addresses = {
  bridge: "cni0",
  node: "10.244.0.1",
  pods: "10.244.0.0/24",
  services: "10.96.0.0/16",
  apiService: "10.96.0.1",
  dns: "10.96.0.10",
} as const;

/**
 * The node's own cgroup; `kubepods` is below it. Whatever runs in there is a container of ours
 * (or a process of one), which makes stopping exact.
 */
export const cgroupName = "anchorhold";

/** Who deploys the stack here: a service account with the rights of `anchorhold rbac`. */
export const deployer = {
  namespace: "anchorhold-deploy",
  name: "deployer",
  user: "system:serviceaccount:anchorhold-deploy:deployer",
} as const;

/** Where everything of the node lies. All paths are absolute. */
export interface Layout {
  /** State: survives a stop, removed by a purge. */
  etcd: string;
  pki: string;
  volumes: string;
  kubeconfig: string;
  lastAddress: string;
  /** Cache: imported images and their unpacked layers. */
  containerdRoot: string;
  /** Of this run only: logs, records, sockets, mounts. */
  run: string;
  containerdState: string;
  containerdSocket: string;
  cni: string;
  kubelet: string;
  podLogs: string;
}

/** The layout below three folders; see local/paths.ts. */
export function layoutOf(dirs: { cacheDir: string; homeDir: string; runDir: string }): Layout {
  return {
    etcd: join(dirs.homeDir, "etcd"),
    pki: join(dirs.homeDir, "pki"),
    volumes: join(dirs.homeDir, "volumes"),
    kubeconfig: join(dirs.homeDir, "kubeconfig"),
    lastAddress: join(dirs.homeDir, "last-pod-address"),
    containerdRoot: join(dirs.cacheDir, "containerd"),
    run: dirs.runDir,
    containerdState: join(dirs.runDir, "containerd"),
    containerdSocket: join(dirs.runDir, "containerd.sock"),
    cni: join(dirs.runDir, "cni"),
    kubelet: join(dirs.runDir, "kubelet"),
    podLogs: join(dirs.runDir, "pod-logs"),
  };
}

/** The layout of this installation. */
export const layout: Layout = layoutOf({ cacheDir, homeDir, runDir });
