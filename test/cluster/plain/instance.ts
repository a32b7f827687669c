import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import { parse } from "yaml";
import type { StackOutputs } from "../../../infra/outputs.ts";
import type { ChartReference } from "../../../infra/scaffold/chart.ts";
import { selectImages, type Images } from "../../../infra/scaffold/images.ts";
import {
  componentNamespace,
  ctLogName,
  fulcioName,
  trillianHost,
  trillianNames,
  trillianPorts,
} from "../../../infra/scaffold/names.ts";
import { sizesOf } from "../../../infra/scaffold/sizes.ts";
import { ctLogValues, fulcioConfig, fulcioValues } from "../../../infra/scaffold/values.ts";
import type { FulcioCaRecord, LogRecord } from "../../../infra/trust/records.ts";
import { projectDir, stackFile } from "../../../local/stack/environment.ts";
import { mustRun } from "../support/process.ts";
import { ctLogSecret, fulcioSecret, newCa, newLog } from "./trust.ts";

/** Begins the namespaces. */
export const plainPrefix = "plain-";
const fulcioSpace = `${plainPrefix}fulcio`;
const ctLogSpace = `${plainPrefix}ctlog`;
const secretName = "trust";
const nodePort = 31181;
const fulcioUrl = `http://localhost:${nodePort}`;
const ctLogUrl = `http://${ctLogName}.${ctLogSpace}.svc/plain`;

/**
 * Fulcio and a CT log from the chart as it comes: one replica each, no post-rendering, Secrets of
 * fixed names. Trillian, Rekor and TSA are the running stack's.
 */
export class PlainChart {
  readonly ca: FulcioCaRecord;
  readonly log: LogRecord;
  private readonly core: CoreV1Api;
  private readonly apps: AppsV1Api;

  private constructor(ca: FulcioCaRecord, log: LogRecord) {
    this.ca = ca;
    this.log = log;
    const config = new KubeConfig();
    config.loadFromDefault();
    this.core = config.makeApiClient(CoreV1Api);
    this.apps = config.makeApiClient(AppsV1Api);
  }

  /** @param helm the Helm program */
  static async install(outputs: StackOutputs, helm: string): Promise<PlainChart> {
    const trillianSpace = componentNamespace(outputs.prefix, "trillian");
    const ca = await newCa(1, fulcioUrl);
    const log = newLog(await ensureTree(trillianSpace), ctLogUrl);
    const plain = new PlainChart(ca.record, log.record);
    const backend = { host: trillianHost(trillianSpace), port: trillianPorts.rpc };
    try {
      await plain.secret(ctLogSpace, ctLogSecret(log, ca.record, backend));
      await plain.secret(fulcioSpace, fulcioSecret(ca));
      await release(helm, outputs);
      return plain;
    } catch (error) {
      await plain.remove();
      throw error;
    }
  }

  /**
   * What the chart's createcerts Job does whenever it runs again: another CA in the same Secret,
   * and nobody is told. Its image is not needed for that.
   */
  async replaceCa(): Promise<FulcioCaRecord> {
    const ca = await newCa(2, fulcioUrl);
    const body = secretBody(fulcioSecret(ca));
    await this.core.replaceNamespacedSecret({ name: secretName, namespace: fulcioSpace, body });
    return ca.record;
  }

  /** What `kubectl rollout restart` does. */
  async restartFulcio(): Promise<void> {
    const annotations = { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() };
    const body = { spec: { template: { metadata: { annotations } } } };
    await this.apps.patchNamespacedDeployment(
      { name: fulcioName, namespace: fulcioSpace, body },
      setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
    );
  }

  /** Removes all but the tree in Trillian, which the next run finds again. */
  async remove(): Promise<void> {
    for (const name of [fulcioSpace, ctLogSpace])
      await this.core.deleteNamespace({ name }).catch(() => undefined);
  }

  /** Makes a namespace with the Secret that its service reads. */
  private async secret(namespace: string, data: Record<string, string>): Promise<void> {
    await this.core.createNamespace({ body: { metadata: { name: namespace } } });
    await this.core.createNamespacedSecret({ namespace, body: secretBody(data) });
  }
}

const secretBody = (stringData: Record<string, string>) => ({
  metadata: { name: secretName },
  stringData,
});

async function ensureTree(trillianSpace: string): Promise<string> {
  const service = `${trillianSpace}/${trillianNames.logServer}:${trillianPorts.rpc}`;
  const identity = ["--name", "plain-chart", "--description", "CT log of the plain chart"];
  const args = ["cli/main.ts", "tree", "create", ...identity, "--port-forward", service];
  const out = await mustRun(process.execPath, args, { cwd: projectDir });
  return (JSON.parse(out) as { treeId: string }).treeId;
}

async function release(helm: string, outputs: StackOutputs): Promise<void> {
  const { config } = parse(await readFile(stackFile, "utf8")) as {
    config: { "anchorhold:chart": ChartReference; "anchorhold:images"?: Record<string, string> };
  };
  const images = selectImages(config["anchorhold:images"] ?? {});
  const chart = config["anchorhold:chart"];
  const source =
    "path" in chart
      ? [chart.path]
      : ["scaffold", "--repo", chart.repository, "--version", chart.version];
  const values = { ctlog: ctLog(images), fulcio: fulcio(images, outputs) };
  const spaces = { ctlog: ctLogSpace, fulcio: fulcioSpace };
  for (const name of ["ctlog", "fulcio"] as const) {
    const file = join(tmpdir(), `anchorhold-plain-${name}-${process.pid}.json`);
    await writeFile(file, JSON.stringify(values[name]));
    const args = ["install", name, ...source, "--namespace", spaces[name], "--values", file];
    await mustRun(helm, [...args, "--wait", "--timeout", "110s"], { cwd: projectDir });
    await rm(file);
  }
}

const ctLog = (images: Images) =>
  ctLogValues({
    namespace: ctLogSpace,
    image: images.ctServer,
    configSecret: secretName,
    exposure: { type: "clusterIP" },
    replicas: 1,
    sizes: sizesOf(),
  });

/** The cluster's own tokens, which the load's workers sign with. */
function fulcio(images: Images, { issuers }: StackOutputs) {
  const cluster = issuers.filter(({ type }) => type === "kubernetes");
  return fulcioValues({
    namespace: fulcioSpace,
    image: images.fulcioServer,
    secret: secretName,
    ctLogUrl,
    config: fulcioConfig(
      cluster.map(({ issuer, clientId }) => ({ type: "kubernetes" as const, issuer, clientId })),
    ),
    exposure: { type: "nodePort", port: nodePort },
    replicas: 1,
    sizes: sizesOf(),
  });
}
