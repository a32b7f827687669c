import { gunzipSync, gzipSync } from "node:zlib";
import { parseAllDocuments } from "yaml";
import { numberAt, objectAt, textAt, type Props } from "../values.ts";
import { annotation, refOf } from "./cluster.ts";
import {
  chartArguments,
  ReleaseFailed,
  releaseObjects,
  runHelm,
  type HelmClient,
  type HelmProcess,
  type ReleaseRecord,
  type ReleaseSpec,
} from "./helm.ts";
import type { MemoryCluster } from "./memoryCluster.ts";
import { readiness } from "./readiness.ts";

/** Fields are written in Helm's name. */
const WRITE = { fieldManager: "helm" };

const PENDING = /^pending-/;

/**
 * Helm for a cluster in memory: charts are rendered by the real binary, post-renderer included, and
 * their objects put into the memory. Hooks do not run, since nothing runs there. The history is kept
 * as Helm keeps it, in Secrets with `owner=helm` labels, so that a test can leave a release pending.
 */
export class MemoryHelm implements HelmClient {
  private readonly process: HelmProcess;
  private readonly cluster: MemoryCluster;

  constructor(process: HelmProcess, cluster: MemoryCluster) {
    this.process = process;
    this.cluster = cluster;
  }

  async install(spec: ReleaseSpec): Promise<ReleaseRecord> {
    if ((await this.status(spec.name, spec.namespace)) !== undefined) {
      throw new Error("cannot re-use a name that is still in use");
    }
    return this.roll(spec, undefined);
  }

  async upgrade(spec: ReleaseSpec): Promise<ReleaseRecord> {
    const before = await this.status(spec.name, spec.namespace);
    if (before === undefined) throw new Error(`"${spec.name}" has no deployed releases`);
    if (PENDING.test(before.status)) {
      throw new Error("another operation (install/upgrade/rollback) is in progress");
    }
    return this.roll(spec, before);
  }

  /** The newest revision that has a Secret; its label says where it stands. */
  async status(name: string, namespace: string): Promise<ReleaseRecord | undefined> {
    const [newest] = (await this.history(name, namespace)).sort(
      (a, b) => Number(label(b, "version")) - Number(label(a, "version")),
    );
    if (newest === undefined) return undefined;
    return { ...decodeRelease(textAt(newest, "data", "release")), status: label(newest, "status") };
  }

  async uninstall({ name, namespace }: ReleaseSpec): Promise<void> {
    const record = await this.status(name, namespace);
    if (record === undefined)
      throw new Error(`uninstall: Release not loaded: ${name}: release: not found`);
    for (const object of releaseObjects(record)) await this.cluster.delete(refOf(object));
    for (const secret of await this.history(name, namespace)) {
      await this.cluster.delete(refOf(secret));
    }
  }

  showChart(spec: ReleaseSpec): Promise<string> {
    return runHelm(this.process, ["show", "chart", ...chartArguments(spec)]);
  }

  private async roll(spec: ReleaseSpec, before: ReleaseRecord | undefined): Promise<ReleaseRecord> {
    const record = await this.render(spec, (before?.revision ?? 0) + 1);
    await this.refuseForeign(record, before);
    this.mark(record, before === undefined ? "pending-install" : "pending-upgrade");
    try {
      await this.applyAll(record, before);
      if (spec.options["skipAwait"] !== true) await this.requireReady(record);
    } catch (error) {
      const failed = { ...record, status: "failed" };
      this.mark(failed, "failed");
      throw new ReleaseFailed(error instanceof Error ? error.message : String(error), failed);
    }
    if (before !== undefined) this.mark(before, "superseded");
    this.mark(record, "deployed");
    await this.prune(spec);
    return record;
  }

  private async render(spec: ReleaseSpec, revision: number): Promise<ReleaseRecord> {
    const { options } = spec;
    const postrender = options["postrender"] as string | undefined;
    const args = [
      ...["template", spec.name, ...chartArguments(spec)],
      ...[
        "--namespace",
        spec.namespace,
        "--values",
        "-",
        "--no-hooks",
        "--kube-version",
        "v1.34.2",
      ],
      ...(revision > 1 ? ["--is-upgrade"] : []),
      ...(options["skipCrds"] ? [] : ["--include-crds"]),
      ...(postrender ? ["--post-renderer", postrender] : []),
    ];
    const manifest = await runHelm(this.process, args, { stdin: JSON.stringify(spec.values) });
    const chart = parseAllDocuments(await this.showChart(spec))[0]?.toJS() as Props;
    return {
      name: spec.name,
      namespace: spec.namespace,
      revision,
      status: "deployed",
      chart: {
        name: textAt(chart, "name"),
        version: textAt(chart, "version"),
        appVersion: textAt(chart, "appVersion"),
      },
      config: spec.values,
      manifest,
    };
  }

  private async applyAll(record: ReleaseRecord, before: ReleaseRecord | undefined): Promise<void> {
    const objects = releaseObjects(record).map((object) => owned(object, record));
    for (const object of objects) {
      const there = (await this.cluster.get(refOf(object))) !== undefined;
      await (there ? this.cluster.apply(object, WRITE) : this.cluster.create(object, WRITE));
    }
    const kept = new Set(objects.map(keyOf));
    for (const object of before === undefined ? [] : releaseObjects(before)) {
      const stays = annotation(object, "helm.sh/resource-policy") === "keep";
      if (!stays && !kept.has(keyOf(object))) await this.cluster.delete(refOf(object));
    }
  }

  /** Helm takes over an object that bears the release's own marks, and no other. */
  private async refuseForeign(
    record: ReleaseRecord,
    before: ReleaseRecord | undefined,
  ): Promise<void> {
    const managed = new Set(before === undefined ? [] : releaseObjects(before).map(keyOf));
    for (const object of releaseObjects(record).filter((one) => !managed.has(keyOf(one)))) {
      const live = await this.cluster.get(refOf(object));
      if (live === undefined || isOwned(live, record)) continue;
      const { kind, name, namespace } = refOf(object);
      throw new Error(
        `${kind} "${name}" in namespace "${namespace}" exists and cannot be imported into the ` +
          "current release: invalid ownership metadata",
      );
    }
  }

  private async requireReady(record: ReleaseRecord): Promise<void> {
    for (const object of releaseObjects(record)) {
      const live = await this.cluster.get(refOf(object));
      if (live === undefined) continue;
      const { ready } = await readiness(live, this.cluster, Infinity);
      if (!ready) throw new Error("context deadline exceeded");
    }
  }

  private mark(record: ReleaseRecord, status: string): void {
    const { name, namespace, revision } = record;
    this.cluster.put({
      apiVersion: "v1",
      kind: "Secret",
      type: "helm.sh/release.v1",
      metadata: {
        name: `sh.helm.release.v1.${name}.v${revision}`,
        namespace,
        labels: { owner: "helm", name, status, version: String(revision) },
      },
      data: { release: encodeRelease({ ...record, status }) },
    });
  }

  private async prune({ name, namespace, options }: ReleaseSpec): Promise<void> {
    const limit = (options["maxHistory"] as number | undefined) ?? 0;
    if (limit <= 0) return;
    const history = await this.history(name, namespace);
    for (const secret of history.slice(0, -limit)) await this.cluster.delete(refOf(secret));
  }

  private async history(name: string, namespace: string): Promise<Props[]> {
    const secrets = await this.cluster.list({ apiVersion: "v1", kind: "Secret", namespace });
    return secrets.filter(
      (secret) => label(secret, "owner") === "helm" && label(secret, "name") === name,
    );
  }
}

function keyOf(object: Props): string {
  return JSON.stringify(refOf(object));
}

const OWNER = { name: "meta.helm.sh/release-name", namespace: "meta.helm.sh/release-namespace" };

/** The object with Helm's marks of whose it is. */
function owned(object: Props, { name, namespace }: ReleaseRecord): Props {
  const metadata = objectAt(object, "metadata");
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...objectAt(metadata, "labels"), "app.kubernetes.io/managed-by": "Helm" },
      annotations: {
        ...objectAt(metadata, "annotations"),
        [OWNER.name]: name,
        [OWNER.namespace]: namespace,
      },
    },
  };
}

function isOwned(object: Props, { name, namespace }: ReleaseRecord): boolean {
  const marks = [annotation(object, OWNER.name), annotation(object, OWNER.namespace)];
  return marks[0] === name && marks[1] === namespace;
}

/**
 * A revision as Helm's Secrets hold it (helm, pkg/storage/driver/util.go): JSON, gzip, base64, and
 * base64 again because it is a Secret.
 */
export function encodeRelease({ revision, status, chart, ...rest }: ReleaseRecord): string {
  const release = { ...rest, version: revision, info: { status }, chart: { metadata: chart } };
  const inner = gzipSync(JSON.stringify(release)).toString("base64");
  return Buffer.from(inner).toString("base64");
}

function decodeRelease(text: string): ReleaseRecord {
  const inner = Buffer.from(text, "base64").toString();
  const release = JSON.parse(gunzipSync(Buffer.from(inner, "base64")).toString()) as Props;
  return {
    name: textAt(release, "name"),
    namespace: textAt(release, "namespace"),
    revision: numberAt(release, "version"),
    status: textAt(release, "info", "status"),
    chart: objectAt(release, "chart", "metadata") as ReleaseRecord["chart"],
    config: objectAt(release, "config"),
    manifest: textAt(release, "manifest"),
  };
}

function label(object: Props, name: string): string {
  return textAt(object, "metadata", "labels", name);
}
