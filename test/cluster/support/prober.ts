import { setTimeout as sleep } from "node:timers/promises";
import { AppsV1Api, CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { ObjectApi } from "../../../cli/doctor/api.ts";
import { parseMetrics, Recording } from "../../support/recording.ts";

const name = "prober";

/** Fetches the probe's metrics as Prometheus does, and keeps each page. */
export class Watch {
  readonly recording = new Recording();
  readonly start = new Date();
  readonly every: number;
  readonly #config: KubeConfig;
  readonly #namespace: string;
  #page: Map<string, number> = new Map();
  #stopped = false;
  #loop: Promise<void>;

  /** @param every seconds from one fetch to the next */
  constructor(config: KubeConfig, namespace: string, every: number) {
    this.#config = config;
    this.#namespace = namespace;
    this.every = every;
    this.#loop = this.run();
  }

  /** Seconds since the first fetch, at the newest one. */
  get at(): number {
    return (this.recording.length - 1) * this.every;
  }

  /** The newest value of a metric with one label of its own, or none; undefined while it is not there. */
  value(metric: string, label?: [string, string]): number | undefined {
    const end = label === undefined ? "" : `,${label[0]}="${label[1]}"`;
    const found = [...this.#page].find(
      ([series]) => series.startsWith(`${metric}{`) && series.endsWith(`${end}}`),
    );
    return found?.[1];
  }

  failedRounds(check: string): number | undefined {
    return this.value("anchorhold_probe_failed_rounds", ["check", check]);
  }

  get rounds(): number {
    return this.value("anchorhold_probe_rounds_total") ?? 0;
  }

  /** Waits for the page to say so. @throws Error with the page after the limit */
  async until(what: string, condition: () => boolean, limitSeconds = 240): Promise<void> {
    const deadline = Date.now() + limitSeconds * 1000;
    while (!condition()) {
      if (Date.now() > deadline) {
        const page = [...this.#page].map(([series, value]) => `${series} ${value}`);
        throw new Error(`never within ${limitSeconds} s: ${what}\n${page.join("\n")}`);
      }
      await sleep(200);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }

  private async run(): Promise<void> {
    for (let fetched = 0; !this.#stopped; fetched += 1) {
      const page = await this.fetch().catch(() => undefined);
      this.recording.add(page);
      if (page !== undefined) this.#page = parseMetrics(page);
      const next = this.start.getTime() + (fetched + 1) * this.every * 1000;
      await sleep(Math.max(0, next - Date.now()));
    }
  }

  private async fetch(): Promise<string> {
    return this.#config.makeApiClient(CoreV1Api).connectGetNamespacedServiceProxyWithPath({
      ...{ name: `${name}:metrics`, namespace: this.#namespace, path: "metrics" },
    });
  }
}

/** Lets the deployed probe begin a round this often. @returns sets it back to what it was */
export async function hurry(
  config: KubeConfig,
  namespace: string,
  seconds: number,
): Promise<() => Promise<void>> {
  const api = new ObjectApi(config);
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace, name };
  const containers = (args: readonly string[] | null) => ({
    spec: { template: { spec: { containers: [{ name, args }] } } },
  });
  const apply = async (args: readonly string[] | null) => {
    const apps = config.makeApiClient(AppsV1Api);
    const { spec } = await apps.readNamespacedDeployment({ namespace, name });
    const [container] = spec?.template.spec?.containers ?? [];
    const whole = containers(args).spec.template.spec.containers.map((own) => ({
      ...container,
      ...own,
    }));
    await api.merge(ref, { spec: { template: { spec: { containers: whole } } } });
    await settled(config, namespace);
  };
  await apply(["--every", String(seconds)]);
  return () => apply(null);
}

async function settled(config: KubeConfig, namespace: string): Promise<void> {
  const apps = config.makeApiClient(AppsV1Api);
  for (;;) {
    const { metadata, status } = await apps.readNamespacedDeployment({ namespace, name });
    const isNew = status?.observedGeneration === metadata?.generation;
    if (isNew && status?.updatedReplicas === 1 && status.readyReplicas === 1) return;
    await sleep(500);
  }
}

/** Takes all pods of a Deployment away. @returns brings them back and waits for them */
export async function withoutPods(
  config: KubeConfig,
  namespace: string,
  begins: string,
): Promise<() => Promise<void>> {
  const apps = config.makeApiClient(AppsV1Api);
  const { items } = await apps.listNamespacedDeployment({ namespace });
  const [found] = items.filter(({ metadata }) => metadata?.name?.startsWith(begins));
  const called = found?.metadata?.name;
  if (called === undefined) throw new Error(`no deployment ${namespace}/${begins}`);
  const before = found?.spec?.replicas ?? 1;
  const scale = async (replicas: number) => {
    const ref = { namespace, name: called };
    const now = await apps.readNamespacedDeploymentScale(ref);
    await apps.replaceNamespacedDeploymentScale({ ...ref, body: { ...now, spec: { replicas } } });
    for (;;) {
      const { status } = await apps.readNamespacedDeployment(ref);
      if ((status?.replicas ?? 0) === replicas && (status?.readyReplicas ?? 0) === replicas) return;
      await sleep(300);
    }
  };
  await scale(0);
  return () => scale(before);
}
