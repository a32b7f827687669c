// A cluster of one node in a container: start, stop.
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig, VersionApi } from "@kubernetes/client-node";
import { ensureRelease, missingRelease } from "../downloads/index.ts";
import { kindRelease } from "../downloads/releases.ts";
import { LocalError } from "../errors.ts";
import type { LocalImage } from "../images/index.ts";
import { issuerDiscovery } from "../node/manifests.ts";
import { homeDir } from "../paths.ts";
import type { Report } from "../report.ts";
import { applyAll } from "../stack/deployer.ts";
import { onPath } from "../stack/onPath.ts";
import { ensureProgram } from "../tools/gobuild.ts";
import { kind as kindProgram } from "../tools/programs.ts";
import { run } from "../tools/run.ts";
import { clusterName, kindConfig, nodeContainer, nodeImage, type NodePorts } from "./config.ts";
import { findRuntime, nodeState, type Runtime } from "./runtime.ts";

/** The administrator's, written anew at each start. */
const kubeconfigFile = join(homeDir, "kind.kubeconfig");

/** How long the API server of a node that was stopped may take. */
const limit = 120_000;

/** kind on PATH, its official release, or a build from its Go module. */
async function ensureKind(report: Report): Promise<string> {
  const installed = onPath("kind");
  if (installed !== undefined) return installed;
  const release = kindRelease();
  return (await missingRelease(release, false)) === undefined
    ? await ensureRelease(release, report)
    : await ensureProgram(kindProgram, report);
}

/** Runs kind with the runtime that was found; it would take Docker if both are there. */
function kind(program: string, runtime: Runtime, what: string, args: readonly string[]) {
  return run(program, args, { what, env: { KIND_EXPERIMENTAL_PROVIDER: runtime } });
}

async function runningRuntime(): Promise<Runtime> {
  const found = await findRuntime();
  if ("runtime" in found) return found.runtime;
  throw new LocalError(
    `The cluster is kind's, but ${found.why}. Start Docker or Podman, then run the same command again.`,
  );
}

async function create(program: string, runtime: Runtime, ports: NodePorts): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "anchorhold-kind-"));
  const config = join(folder, "kind.yaml");
  try {
    await writeFile(config, kindConfig(ports));
    const args = ["--name", clusterName, "--config", config, "--kubeconfig", kubeconfigFile];
    await kind(program, runtime, "Making the kind cluster", [
      ...["create", "cluster", ...args],
      ...["--wait", "180s"],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function waitForApi(): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigFile);
  const version = config.makeApiClient(VersionApi);
  for (const end = Date.now() + limit; ; await sleep(500)) {
    const answers = await version.getCode().then(
      () => true,
      () => false,
    );
    if (answers) return;
    if (Date.now() > end)
      throw new LocalError(
        `The API server of the kind cluster does not answer after ${limit / 1000} s. See why with ` +
          `\`kind export logs --name ${clusterName}\`.`,
      );
  }
}

/**
 * Makes the cluster, or starts it again, and lets Fulcio check the cluster's own tokens.
 *
 * @param images images that are built here; those that its node lacks are loaded
 * @returns the path of the administrator's kubeconfig
 * @throws LocalError naming the cause and the remedy
 */
export async function startKind(
  ports: NodePorts,
  images: readonly LocalImage[],
  report: Report,
): Promise<{ kubeconfig: string }> {
  const runtime = await runningRuntime();
  const program = await ensureKind(report);
  const state = await nodeState(runtime);
  if (state === undefined) {
    report(`kind: making the cluster ${clusterName} (${nodeImage.split("@")[0]}), some minutes`);
    await create(program, runtime, ports);
  } else if (state === "stopped") {
    await run(runtime, ["start", nodeContainer], { what: "Starting kind's node" });
  }
  const get = ["get", "kubeconfig", "--name", clusterName];
  const text = await kind(program, runtime, "Reading kind's kubeconfig", get);
  writeFileSync(kubeconfigFile, text, { mode: 0o600 });
  await waitForApi();
  const admin = new KubeConfig();
  admin.loadFromFile(kubeconfigFile);
  await applyAll(admin, [issuerDiscovery().object]);
  await loadImages(program, runtime, images, report);
  return { kubeconfig: kubeconfigFile };
}

async function loadImages(
  program: string,
  runtime: Runtime,
  images: readonly LocalImage[],
  report: Report,
): Promise<void> {
  if (images.length === 0) return;
  const list = ["exec", nodeContainer, "ctr", "--namespace=k8s.io", "images", "list", "--quiet"];
  const there = (await run(runtime, list, { what: "Listing the node's images" })).split("\n");
  for (const { name, reference, archive } of images.filter(
    (one) => !there.includes(one.reference),
  )) {
    report(`image ${name}: loading it into kind's node`);
    const load = ["load", "image-archive", archive, "--name", clusterName];
    await kind(program, runtime, `Loading ${reference}`, load);
  }
}

/**
 * Stops the cluster's node, if there is one; its volumes stay with it.
 * @param options.purge delete the cluster with all that is in it
 * @returns whether there was one
 */
export async function stopKind(options: { purge: boolean }, report: Report): Promise<boolean> {
  const found = await findRuntime();
  if ("why" in found) return false;
  const { runtime } = found;
  const state = await nodeState(runtime);
  if (state === undefined) return false;
  if (options.purge) {
    const program = await ensureKind(report);
    const args = ["delete", "cluster", "--name", clusterName, "--kubeconfig", kubeconfigFile];
    await kind(program, runtime, "Deleting the kind cluster", args);
    report("kind: cluster and volumes deleted");
  } else if (state === "running") {
    await run(runtime, ["stop", nodeContainer], { what: "Stopping kind's node" });
    report("kind: stopped; cluster and volumes stay");
  }
  rmSync(kubeconfigFile, { force: true });
  return true;
}
