import { spawn } from "node:child_process";
import { parseAllDocuments } from "yaml";
import { objectAt, textAt, type Props } from "../values.ts";

/** What a release is made from: the inputs of `helm.v3.Release`, decoded. */
export interface ReleaseSpec {
  name: string;
  namespace: string;
  chart: string;
  version: string;
  values: Props;
  /** The rest by the names of the resource's inputs. */
  options: Props;
}

/** A revision of a release as Helm records it. */
export interface ReleaseRecord {
  name: string;
  namespace: string;
  revision: number;
  status: string;
  chart: { name: string; version: string; appVersion: string };
  /** The values that were given. */
  config: Props;
  /** The rendered objects without hooks. */
  manifest: string;
}

/** The objects of a release, each in a namespace: the release's, where it names none. */
export function releaseObjects({ manifest, namespace }: ReleaseRecord): Props[] {
  return parseAllDocuments(manifest)
    .map((document) => document.toJS() as Props | null)
    .filter((object): object is Props => textAt(object ?? {}, "kind") !== "")
    .map((object) => ({ ...object, metadata: { namespace, ...objectAt(object, "metadata") } }));
}

/** Helm failed after it had recorded a release: the resource exists. */
export class ReleaseFailed extends Error {
  override readonly name = "ReleaseFailed";
  readonly record: ReleaseRecord;

  constructor(message: string, record: ReleaseRecord) {
    super(message);
    this.record = record;
  }
}

/** Helm as the plugin needs it; one drives a cluster, one a cluster in memory. */
export interface HelmClient {
  install(spec: ReleaseSpec, signal: AbortSignal): Promise<ReleaseRecord>;
  upgrade(spec: ReleaseSpec, signal: AbortSignal): Promise<ReleaseRecord>;
  /** Undefined when there is no such release. */
  status(name: string, namespace: string): Promise<ReleaseRecord | undefined>;
  uninstall(spec: ReleaseSpec, signal: AbortSignal): Promise<void>;
  /** Chart.yaml of a chart that is not a local directory. */
  showChart(spec: ReleaseSpec): Promise<string>;
}

export interface HelmProcess {
  /** Path of the helm 3 binary. */
  helm: string;
  /** The directory that relative chart and post-renderer paths start from. */
  cwd: string;
  env: NodeJS.ProcessEnv;
}

/** Runs helm; values and other secrets go in by `stdin`, never by the command line. */
export function runHelm(
  { helm, cwd, env }: HelmProcess,
  args: readonly string[],
  options: { stdin?: string; signal?: AbortSignal } = {},
): Promise<string> {
  const child = spawn(helm, args, {
    cwd,
    env,
    stdio: ["pipe", "pipe", "pipe"],
    // A terminal's Ctrl-C is for the pulumi command alone, which then cancels what runs.
    detached: true,
  });
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on("data", (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.stderr.push(chunk));
  // Helm may end before it has read its input.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");
  // Helm marks its release as failed on SIGINT; anything harder leaves it pending.
  const interrupt = (): void => void child.kill("SIGINT");
  options.signal?.addEventListener("abort", interrupt, { once: true });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      options.signal?.removeEventListener("abort", interrupt);
      if (code === 0) resolve(Buffer.concat(chunks.stdout).toString());
      else reject(new Error(helmMessage(Buffer.concat(chunks.stderr).toString())));
    });
  });
}

/** Helm's error without its warnings and its prefix. */
export function helmMessage(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => !/^(WARNING|level=|I\d{4}|W\d{4})/.test(line));
  const start = lines.findIndex((line) => line.startsWith("Error: "));
  const message = lines.slice(Math.max(start, 0)).join("\n").trim();
  return message.replace(/^Error: /, "").replace(/^(INSTALLATION|UPGRADE) FAILED: /, "");
}

/** The chart's name and the repository's flags; the same for every action. */
export function chartArguments({ chart, version, options }: ReleaseSpec): string[] {
  const repository = (options["repositoryOpts"] ?? {}) as Record<string, string | undefined>;
  if (repository["password"]) {
    throw new Error(
      "helm.v3.Release: the stand-in takes no repositoryOpts.password, which would stand on a " +
        "command line. Use `helm registry login` or a local chart.",
    );
  }
  const repo = repository["repo"] ?? "";
  const url = /^[a-z]+:\/\//.test(repo);
  return [
    repo && !url ? `${repo}/${chart}` : chart,
    ...(url ? ["--repo", repo] : []),
    ...flag("--ca-file", repository["caFile"]),
    ...flag("--cert-file", repository["certFile"]),
    ...flag("--key-file", repository["keyFile"]),
    ...flag("--username", repository["username"]),
    ...flag("--version", isLocal(chart) ? "" : version),
    ...(options["devel"] ? ["--devel"] : []),
    ...(options["verify"] ? ["--verify", ...flag("--keyring", options["keyring"] as string)] : []),
  ];
}

function flag(name: string, value: string | undefined): string[] {
  return value ? [name, value] : [];
}

export function isLocal(chart: string): boolean {
  return chart.startsWith(".") || chart.startsWith("/");
}

const FLAGS: Readonly<Record<"both" | "install" | "upgrade", Readonly<Record<string, string>>>> = {
  both: {
    atomic: "--atomic",
    skipCrds: "--skip-crds",
    renderSubchartNotes: "--render-subchart-notes",
    disableOpenapiValidation: "--disable-openapi-validation",
    dependencyUpdate: "--dependency-update",
  },
  install: {
    disableWebhooks: "--no-hooks",
    replace: "--replace",
    createNamespace: "--create-namespace",
  },
  upgrade: {
    disableCRDHooks: "--no-hooks",
    forceUpdate: "--force",
    resetValues: "--reset-values",
    reuseValues: "--reuse-values",
    cleanupOnFail: "--cleanup-on-fail",
  },
};

/** The command line of an install or upgrade; the values are read from standard input. */
export function actionArguments(action: "install" | "upgrade", spec: ReleaseSpec): string[] {
  const { options } = spec;
  const chosen = Object.entries({ ...FLAGS.both, ...FLAGS[action] })
    .filter(([key]) => options[key] === true)
    .map(([, name]) => name);
  const waits = options["skipAwait"] !== true;
  return [
    action,
    spec.name,
    ...chartArguments(spec),
    ...["--namespace", spec.namespace, "--output", "json", "--values", "-"],
    ...["--timeout", `${(options["timeout"] as number) || 300}s`],
    ...(waits ? ["--wait"] : []),
    ...(waits && options["waitForJobs"] ? ["--wait-for-jobs"] : []),
    ...(action === "upgrade" ? ["--history-max", `${(options["maxHistory"] as number) || 0}`] : []),
    ...flag("--description", options["description"] as string),
    ...flag("--post-renderer", options["postrender"] as string),
    ...chosen,
  ];
}
