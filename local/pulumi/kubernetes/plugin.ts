import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import type { Plugin } from "../plugin.ts";
import { plainProps, textAt, type Props } from "../values.ts";
import { ClusterHelm } from "./clusterHelm.ts";
import type { Cluster } from "./cluster.ts";
import type { HelmClient } from "./helm.ts";
import type { MemoryCluster } from "./memoryCluster.ts";
import { MemoryHelm } from "./memoryHelm.ts";
import { Objects } from "./objects.ts";
import { RealCluster } from "./realCluster.ts";
import { Releases } from "./release.ts";

const RELEASE = "kubernetes:helm.sh/v3:Release";

export interface KubernetesSettings {
  cluster: "real" | MemoryCluster;
  /** Path of the helm 3 binary. */
  helm: string;
  /** The program's directory, where relative paths of charts start. */
  directory: string;
  env: NodeJS.ProcessEnv;
}

/** The two sides that a provider's configuration leads to. */
interface Sides {
  cluster: Cluster;
  helm: HelmClient;
}

/** The file of the configuration: given as a path, given as text, or found as kubectl finds it. */
class KubeConfigFile {
  readonly env: NodeJS.ProcessEnv;
  readonly config = new KubeConfig();
  private readonly temporary: string | undefined;

  constructor(args: Props, base: NodeJS.ProcessEnv) {
    const given = textAt(args, "kubeconfig") || base["KUBECONFIG"] || "";
    if (given === "") {
      this.config.loadFromDefault();
      this.env = base;
      return;
    }
    const isPath = !given.includes("\n") && existsSync(given);
    this.temporary = isPath ? undefined : mkdtempSync(join(tmpdir(), "kubeconfig-"));
    const path = this.temporary === undefined ? given : join(this.temporary, "config");
    if (this.temporary !== undefined) writeFileSync(path, given, { mode: 0o600 });
    this.config.loadFromFile(path);
    this.env = { ...base, KUBECONFIG: path };
    const context = textAt(args, "context");
    if (context !== "") this.config.setCurrentContext(context);
  }

  remove(): void {
    if (this.temporary !== undefined) rmSync(this.temporary, { recursive: true });
  }
}

class KubernetesPlugin {
  private readonly settings: KubernetesSettings;
  private readonly cancelled = new AbortController();
  private file: KubeConfigFile | undefined;
  objects: Objects;
  releases: Releases;

  constructor(settings: KubernetesSettings) {
    this.settings = settings;
    const unconfigured = new Proxy({}, { get: notConfigured });
    this.objects = unconfigured as Objects;
    this.releases = unconfigured as Releases;
  }

  configure(raw: Props): void {
    const args = plainProps(raw);
    const { cluster, helm } = this.sides(args);
    const namespace = textAt(args, "namespace");
    const signal = (): AbortSignal => this.cancelled.signal;
    const { directory, env } = this.settings;
    const upsert =
      textAt(args, "upsertExistingObjects") || env["PULUMI_K8S_UPSERT_EXISTING_OBJECTS"];
    this.objects = new Objects({ cluster, namespace, signal, upsert: upsert === "true" });
    this.releases = new Releases({ helm, cluster, directory, namespace, signal });
  }

  private sides(args: Props): Sides {
    const { cluster, helm, directory, env } = this.settings;
    if (cluster !== "real") {
      return { cluster, helm: new MemoryHelm({ helm, cwd: directory, env }, cluster) };
    }
    this.close();
    this.file = new KubeConfigFile(args, env);
    return {
      cluster: new RealCluster(this.file.config),
      helm: new ClusterHelm({ helm, cwd: directory, env: this.file.env }, textAt(args, "context")),
    };
  }

  cancel(): void {
    this.cancelled.abort();
  }

  close(): void {
    this.file?.remove();
    this.file = undefined;
  }
}

function notConfigured(): never {
  throw new Error("The kubernetes stand-in was called before it was configured.");
}

/** Stand-in for pulumi-kubernetes: objects of any kind and Helm releases. */
export function kubernetesPlugin(settings: KubernetesSettings): Plugin {
  const plugin = new KubernetesPlugin(settings);
  const of = (type: string): Objects | Releases =>
    type === RELEASE ? plugin.releases : plugin.objects;
  return {
    name: "kubernetes",
    diffConfig: "compares",
    accepts: { secrets: true, autonaming: true },
    configure: (args) => {
      plugin.configure(args);
      return Promise.resolve();
    },
    check: (request) => of(request.type).check(request),
    diff: (request) => of(request.type).diff(request),
    create: (request) => of(request.type).create(request),
    update: (request) => of(request.type).update(request),
    read: (request) => of(request.type).read(request),
    delete: (request) => of(request.type).delete(request),
    cancel: () => plugin.cancel(),
    close: () => plugin.close(),
  };
}
