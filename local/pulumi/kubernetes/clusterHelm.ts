import { isObject, numberAt, objectAt, textAt, type Props } from "../values.ts";
import {
  actionArguments,
  chartArguments,
  ReleaseFailed,
  runHelm,
  type HelmClient,
  type HelmProcess,
  type ReleaseRecord,
  type ReleaseSpec,
} from "./helm.ts";

/** Helm against a cluster, by its binary; `env` names the cluster (KUBECONFIG). */
export class ClusterHelm implements HelmClient {
  private readonly process: HelmProcess;
  private readonly context: string[];

  constructor(process: HelmProcess, context: string) {
    this.process = process;
    this.context = context === "" ? [] : ["--kube-context", context];
  }

  install(spec: ReleaseSpec, signal: AbortSignal): Promise<ReleaseRecord> {
    return this.act("install", spec, signal);
  }

  upgrade(spec: ReleaseSpec, signal: AbortSignal): Promise<ReleaseRecord> {
    return this.act("upgrade", spec, signal);
  }

  async status(name: string, namespace: string): Promise<ReleaseRecord | undefined> {
    const where = ["--namespace", namespace, "--output", "json", ...this.context];
    try {
      const release = record(await runHelm(this.process, ["status", name, ...where]));
      const about = await runHelm(this.process, ["get", "metadata", name, ...where]);
      return { ...release, chart: chartOf(JSON.parse(about) as Props) };
    } catch (error) {
      if (error instanceof Error && error.message.includes("release: not found")) return undefined;
      throw error;
    }
  }

  async uninstall(spec: ReleaseSpec, signal: AbortSignal): Promise<void> {
    const waits = spec.options["atomic"] === true || spec.options["skipAwait"] !== true;
    const timeout = `${(spec.options["timeout"] as number) || 300}s`;
    const args = ["uninstall", spec.name, "--namespace", spec.namespace, ...this.context];
    await runHelm(this.process, [...args, ...(waits ? ["--wait", "--timeout", timeout] : [])], {
      signal,
    });
  }

  showChart(spec: ReleaseSpec): Promise<string> {
    return runHelm(this.process, ["show", "chart", ...chartArguments(spec)]);
  }

  private async act(
    action: "install" | "upgrade",
    spec: ReleaseSpec,
    signal: AbortSignal,
  ): Promise<ReleaseRecord> {
    const before = await this.status(spec.name, spec.namespace);
    const args = [...actionArguments(action, spec), ...this.context];
    const stdin = JSON.stringify(spec.values);
    try {
      return record(await runHelm(this.process, args, { stdin, signal }));
    } catch (error) {
      const after = await this.status(spec.name, spec.namespace);
      const message = error instanceof Error ? error.message : String(error);
      const recorded = after !== undefined && after.revision !== before?.revision;
      throw recorded ? new ReleaseFailed(message, after) : error;
    }
  }
}

function chartOf(about: Props): ReleaseRecord["chart"] {
  return {
    name: textAt(about, "chart"),
    version: textAt(about, "version"),
    appVersion: textAt(about, "appVersion"),
  };
}

/** A release as Helm prints it with `--output json` (helm.sh/helm/v3/pkg/release.Release). */
function record(json: string): ReleaseRecord {
  const release = JSON.parse(json) as Props;
  const about = objectAt(release, "chart", "metadata");
  return {
    name: textAt(release, "name"),
    namespace: textAt(release, "namespace"),
    revision: numberAt(release, "version"),
    status: textAt(release, "info", "status"),
    chart: {
      name: textAt(about, "name"),
      version: textAt(about, "version"),
      appVersion: textAt(about, "appVersion"),
    },
    config: isObject(release["config"]) ? release["config"] : {},
    manifest: textAt(release, "manifest"),
  };
}
