import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { changes, detailedDiff, parsePath } from "../diff.ts";
import { InitializationError } from "../initFailure.ts";
import { randomName } from "../names.ts";
import type {
  CheckRequest,
  CheckResult,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  DiffResult,
  ReadRequest,
  State,
  UpdateRequest,
} from "../plugin.ts";
import {
  containsUnknown,
  isObject,
  objectAt,
  plainProps,
  secret,
  textAt,
  UNKNOWN,
  unwrap,
  type Props,
  type Value,
} from "../values.ts";
import { refOf, type Cluster } from "./cluster.ts";
import {
  ReleaseFailed,
  releaseObjects,
  type HelmClient,
  type ReleaseRecord,
  type ReleaseSpec,
} from "./helm.ts";
import { annotateSecrets } from "./inputs.ts";
import { readiness } from "./readiness.ts";

/** The inputs of a release with the values that they have when the program leaves them out. */
const DEFAULTS: Props = {
  allowNullValues: false,
  atomic: false,
  chart: "",
  cleanupOnFail: false,
  createNamespace: false,
  dependencyUpdate: false,
  description: "",
  devel: false,
  disableCRDHooks: false,
  disableOpenapiValidation: false,
  disableWebhooks: false,
  forceUpdate: false,
  keyring: "",
  lint: false,
  name: "",
  namespace: "",
  postrender: "",
  recreatePods: false,
  renderSubchartNotes: false,
  replace: false,
  resetValues: false,
  reuseValues: false,
  skipAwait: false,
  skipCrds: false,
  timeout: 0,
  values: {},
  verify: false,
  version: "",
  waitForJobs: false,
};

/** Inputs that stay out when the program leaves them out. */
const OPTIONAL = ["maxHistory", "repositoryOpts"];

const REPLACING = ["name", "namespace"].map(parsePath);

export interface ReleaseSettings {
  helm: HelmClient;
  /** For the reasons why a release failed. */
  cluster: Cluster;
  /** Where relative chart paths start. */
  directory: string;
  namespace: string;
  signal: () => AbortSignal;
}

/** The same value with unknowns left as they are, since a decision may still be possible. */
function known(inputs: Props): Props {
  const plain = plainProps(inputs);
  const keys = [...Object.keys(DEFAULTS), ...OPTIONAL].filter((key) => key in plain);
  return Object.fromEntries(keys.map((key) => [key, plain[key] ?? null]));
}

function specOf(inputs: Props): ReleaseSpec {
  const { name, namespace, chart, version, values, ...options } = plainProps(inputs);
  const text = (value: Value | undefined): string => (typeof value === "string" ? value : "");
  return {
    name: text(name),
    namespace: text(namespace),
    chart: text(chart),
    version: text(version),
    values: isObject(values) ? values : {},
    options,
  };
}

/** The objects of a manifest by kind, as the resource's `resourceNames` lists them. */
export function resourceNames(manifest: string): Props {
  const names = new Map<string, Set<string>>();
  for (const document of parseAllDocuments(manifest)) {
    const object = document.toJS() as Props | null;
    if (!isObject(object) || textAt(object, "kind") === "") continue;
    const version = textAt(object, "apiVersion");
    const group = version.includes("/") ? `.${version.split("/")[0]}` : "";
    const key = `${textAt(object, "kind")}${group}/${version}`;
    const [namespace, name] = [
      textAt(object, "metadata", "namespace"),
      textAt(object, "metadata", "name"),
    ];
    const list = names.get(key) ?? new Set<string>();
    names.set(key, list.add(namespace === "" ? name : `${namespace}/${name}`));
  }
  return Object.fromEntries([...names].map(([key, list]) => [key, [...list].sort()]));
}

function outputsOf(inputs: Props, record: ReleaseRecord): Props {
  const spec = specOf(inputs);
  const outputs: Props = {
    ...plainProps(inputs),
    values: { ...spec.values, ...record.config },
    version: record.chart.version,
    resourceNames: resourceNames(record.manifest),
    status: {
      appVersion: record.chart.appVersion,
      chart: record.chart.name,
      name: record.name,
      namespace: record.namespace,
      revision: record.revision,
      status: record.status,
      version: record.chart.version,
    },
  };
  return { ...annotateSecrets(outputs, inputs), __inputs: secret(inputs) };
}

function previewOutputs(inputs: Props): Props {
  return { ...inputs, resourceNames: UNKNOWN, status: UNKNOWN, __inputs: secret(inputs) };
}

/** `helm.sh/v3:Release`: one Helm release as one resource. */
export class Releases {
  private readonly settings: ReleaseSettings;

  constructor(settings: ReleaseSettings) {
    this.settings = settings;
  }

  async check(request: CheckRequest): Promise<CheckResult> {
    const { news, olds, name } = request;
    const given = known(news);
    const skips = given["skipAwait"] === true;
    const inputs: Props = {
      ...DEFAULTS,
      ...(skips ? {} : { timeout: 300 }),
      ...given,
      name: given["name"] || unwrap(olds["name"] ?? "") || randomName(`${name}-`, 8),
      namespace: given["namespace"] || this.settings.namespace || "default",
    };
    if (containsUnknown(news)) return { inputs: annotateSecrets(inputs, news) };
    try {
      const version = await this.chartVersion(specOf(inputs));
      return { inputs: annotateSecrets({ ...inputs, version }, news) };
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      const reason = `${cause}; check the chart name and repository configuration.`;
      return {
        inputs: annotateSecrets(inputs, news),
        failures: [{ property: "chart", reason }],
      };
    }
  }

  diff(request: DiffRequest): DiffResult {
    const olds = plainProps(request.olds);
    const oldInputs = objectAt(olds, "__inputs");
    const ignored = request.ignoreChanges.includes("version");
    const news = {
      ...plainProps(request.news),
      ...(ignored && { version: olds["version"] ?? "" }),
    };
    const all = changes(managed(olds, oldInputs, news), news);
    const detailed = detailedDiff(all, REPLACING, request.ignoreChanges);
    const paths = Object.entries(detailed);
    return {
      changes: paths.length > 0,
      diffs: [...new Set(paths.map(([path]) => path.split(/[.[]/)[0] ?? ""))],
      replaces: paths.filter(([, { kind }]) => kind.endsWith("_REPLACE")).map(([path]) => path),
      detailed,
      hasDetailed: paths.length > 0,
    };
  }

  async create({ inputs, preview }: CreateRequest): Promise<State> {
    if (preview) return { id: "", outputs: previewOutputs(inputs) };
    const spec = specOf(inputs);
    const id = `${spec.namespace}/${spec.name}`;
    const { helm, signal } = this.settings;
    const record = await helm.install(spec, signal()).catch(async (error: unknown) => {
      const what = `Helm release "${id}" was created, but failed to initialize completely`;
      throw await this.failure(error, id, inputs, what);
    });
    return { id, outputs: outputsOf(inputs, record) };
  }

  async update({ inputs, preview, id }: UpdateRequest): Promise<Props> {
    if (preview) return previewOutputs(inputs);
    const { helm, signal } = this.settings;
    const record = await helm.upgrade(specOf(inputs), signal()).catch(async (error: unknown) => {
      const what = `Helm release "${id}" failed to initialize completely`;
      throw await this.failure(error, id, inputs, what);
    });
    return outputsOf(inputs, record);
  }

  async read({ id, olds }: ReadRequest): Promise<State> {
    const [namespace = "", name = ""] = id.split("/");
    const record = await this.settings.helm.status(name, namespace);
    if (record === undefined) return { id: "", outputs: {} };
    const inputs = unwrap(olds["__inputs"] ?? null);
    if (!isObject(inputs)) throw new Error("The stand-in plugin cannot import a Helm release.");
    return { id, outputs: outputsOf(inputs, record), inputs };
  }

  async delete({ olds }: DeleteRequest): Promise<void> {
    const { helm, signal } = this.settings;
    await helm.uninstall(specOf(olds), signal());
  }

  /** The error for the engine; with what is not ready, since Helm only says that time ran out. */
  private async failure(error: unknown, id: string, inputs: Props, what: string): Promise<unknown> {
    if (!(error instanceof ReleaseFailed)) return error;
    const { record } = error;
    const cause =
      "failed to become available within allocated timeout. Error: " +
      `Helm Release ${id}: ${error.message}`;
    const message = `${what}. Use Helm CLI to investigate: ${cause}`;
    const reasons = await unreadyReasons(releaseObjects(record), this.settings.cluster);
    return new InitializationError(id, outputsOf(inputs, record), message, reasons);
  }

  /** The version that the chart itself states; the program may give a range. */
  private async chartVersion(spec: ReleaseSpec): Promise<string> {
    const path = resolve(this.settings.directory, spec.chart);
    const directory = await stat(path).catch(() => undefined);
    const chart = directory?.isDirectory()
      ? await readFile(join(path, "Chart.yaml"), "utf8")
      : await this.settings.helm.showChart(spec).catch((error: unknown) => {
          if (directory !== undefined || !/^[./]/.test(spec.chart)) throw error;
          throw new Error(`path "${spec.chart}" not found`);
        });
    return textAt(parse(chart) as Props, "version");
  }
}

async function unreadyReasons(objects: readonly Props[], cluster: Cluster): Promise<string[]> {
  const reasons = objects.map(async (object) => {
    const live = await cluster.get(refOf(object)).catch(() => undefined);
    const state = live && (await readiness(live, cluster, Infinity).catch(() => undefined));
    const { kind, name } = refOf(object);
    return state === undefined || state.ready
      ? []
      : state.reasons.map((reason) => `${kind} ${name}: ${reason}`);
  });
  return (await Promise.all(reasons)).flat();
}

/** The part of the state that the program speaks about, now or before. */
function managed(state: Value, oldInputs: Value, news: Value): Value {
  if (!isObject(state) || !isObject(news)) return state;
  const before = isObject(oldInputs) ? oldInputs : {};
  const keys = Object.keys(state).filter((key) => key in news || key in before);
  return Object.fromEntries(
    keys.map((key) => [key, managed(state[key] ?? null, before[key] ?? null, news[key] ?? null)]),
  );
}
