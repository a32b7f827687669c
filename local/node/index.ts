// A single-node Kubernetes from binaries: start, stop, status.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { dirname } from "node:path";
import type { ImageName, LocalImage } from "../images/index.ts";
import type { Report } from "../report.ts";
import { ensurePackages, ensureTools } from "../tools/index.ts";
import { applyObject, getObject } from "./api.ts";
import { makeCgroups } from "./cgroups.ts";
import * as components from "./components.ts";
import { containerdSpec, importImages, writeContainerdConfig } from "./containerd.ts";
import { componentProblem, nodeProblem, podProblem } from "./health.ts";
import { allowPods } from "./iptables.ts";
import { layout } from "./layout.ts";
import { notedMachine, noteMachine } from "./machine.ts";
import { coreDns, issuerDiscovery, storageClass } from "./manifests.ts";
import { volume, volumeFolder, volumeNumbers } from "./manifests.ts";
import { bridgeExists, enableForwarding, ensureBridge, writeCniConfig } from "./network.ts";
import { ensurePki } from "./pki.ts";
import { assertPortsFree } from "./ports.ts";
import { assertRoot, preflight } from "./preflight.ts";
import { endRecorded, ensureProcess, livingRecord, livingRecords, runsAs } from "./processes.ts";
import { type ProcessSpec, withNodeLock } from "./processes.ts";
import { clearRun, endNode, purgeState } from "./stop.ts";
import { waitFor } from "./wait.ts";

export { leftovers } from "./stop.ts";

export interface NodeAccess {
  /** Path of the administrator's kubeconfig, mode 0600. */
  kubeconfig: string;
}

/** How long a component may take. Generous: the machine may be building something beside. */
const limit = 180_000;

/**
 * Starts the node, or what is missing of it, and waits until it is Ready, its DNS answers and no
 * pod claims a readiness from before. Safe to repeat at any time, also after an interrupted start.
 *
 * @param images built images; those that the node does not hold yet are imported
 * @throws LocalError naming the cause and the remedy; what already runs is kept
 */
export async function startNode(
  images: Record<ImageName, LocalImage>,
  report: Report,
): Promise<NodeAccess> {
  assertRoot();
  return withNodeLock(async () => {
    await ensurePackages(report);
    const { kubernetes } = await ensureTools(["kubernetes"], report);
    const begin = Date.now();
    // Without its bridge every running pod is cut off for good: they must all be made anew.
    if (notedMachine() && !bridgeExists()) await endNode(report);
    await prepare(images.pause.reference);
    await startComponents(dirname(kubernetes!), images, report);
    report(`node: ready in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
    return { kubeconfig: layout.kubeconfig };
  });
}

/** Checks everything that can be checked, then makes what the components find when they start. */
async function prepare(pauseImage: string): Promise<void> {
  assertPortsFree(new Set(livingRecords().map(({ pid }) => pid)));
  const fresh = notedMachine() === undefined;
  await preflight(fresh);
  if (fresh) {
    await clearRun(); // of a run that a reboot ended
    await noteMachine();
  }
  await ensurePki(layout.pki, layout.kubeconfig);
  await ensureBridge();
  enableForwarding();
  await allowPods();
  makeCgroups();
  writeCniConfig();
  writeContainerdConfig(pauseImage);
  mkdirSync(layout.kubelet, { recursive: true });
  const write = (path: string, value: object): void =>
    writeFileSync(path, JSON.stringify(value, null, 2));
  write(components.auditPolicyPath(layout), components.auditPolicy());
  write(components.proxyConfigPath(layout), components.proxyConfig(layout));
  write(components.kubeletConfigPath(layout), components.kubeletConfig(layout));
}

async function startComponents(
  binaries: string,
  images: Record<ImageName, LocalImage>,
  report: Report,
): Promise<void> {
  const runtime = ensureHealthy(containerdSpec(layout)).then(() =>
    importImages(Object.values(images), report),
  );
  const server = ensureHealthy(components.etcd(layout)).then(() =>
    ensureHealthy(components.apiServer(layout, binaries)),
  );
  await Promise.all([runtime, server]);
  // Times in the API are whole seconds, a running kubelet beats every 10 s: what it says counts.
  const since = livingRecord("kubelet") ? 0 : Date.now() - 1_000;
  await Promise.all([
    ensureHealthy(components.controllerManager(layout, binaries)),
    ensureHealthy(components.scheduler(layout, binaries)),
    ensureHealthy(components.proxy(layout, binaries)),
    ensureHealthy(components.kubelet(layout, binaries)),
    applyManifests(images.coredns.reference),
  ]);
  await waitFor("kubelet", () => nodeProblem(since), limit);
  await waitFor("kubelet", podProblem, limit);
}

/**
 * Starts a component and waits until it is healthy. One that runs is kept if it is what would be
 * started now (not an older version or other flags) and is healthy or becomes so.
 */
async function ensureHealthy(spec: ProcessSpec): Promise<void> {
  const problem = componentProblem[spec.name as components.ComponentName];
  if (!runsAs(spec) || !(await recovers(problem))) await endRecorded([spec.name], 10_000);
  ensureProcess(spec);
  await waitFor(spec.name, problem, limit);
}

/** Whether a running component is healthy within 15 s; it may still be starting. */
async function recovers(problem: () => Promise<string | undefined>): Promise<boolean> {
  for (const end = Date.now() + 15_000; Date.now() < end; await sleep(250)) {
    if ((await problem()) === undefined) return true;
  }
  return false;
}

async function applyManifests(dnsImage: string): Promise<void> {
  type Volumes = { items: { metadata: { name: string }; spec: { claimRef?: unknown } }[] };
  const { items } = await getObject<Volumes>("/api/v1/persistentvolumes");
  const numbers = volumeNumbers(items);
  for (const number of numbers) makeVolumeFolder(volumeFolder(layout.volumes, number));
  const manifests = [
    issuerDiscovery(),
    storageClass(),
    ...numbers.map((number) => volume(number, layout.volumes)),
    ...coreDns(dnsImage),
  ];
  for (const { path, object } of manifests) await applyObject(path, object);
}

/** Services write to their volumes under user ids of their own. */
function makeVolumeFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o777); // the mode of mkdir is cut by the umask
}

/**
 * Stops the node and removes its every trace from the machine: processes, mounts, devices,
 * iptables chains, cgroups, files. Images stay as a cache.
 *
 * @param options.purge remove the state as well: objects, keys, volumes
 * @throws LocalError if something cannot be removed
 */
export async function stopNode(options: { purge: boolean }, report: Report): Promise<void> {
  assertRoot();
  await withNodeLock(async () => {
    await endNode(report);
    if (options.purge) purgeState(report);
  });
}

/** Whether the node runs, and what is wrong with it; nothing is changed. */
export async function nodeStatus(): Promise<{
  running: boolean;
  kubeconfig: string;
  problems: string[];
}> {
  const { kubeconfig } = layout;
  const names = components.componentNames;
  if (!names.some((name) => livingRecord(name)))
    return { running: false, kubeconfig, problems: [] };
  const checks = names.map(async (name) => {
    const problem = livingRecord(name) ? await componentProblem[name]() : "it does not run";
    return problem === undefined ? [] : [`${name}: ${problem}`];
  });
  const problems = (await Promise.all(checks)).flat();
  if (problems.length === 0) {
    const node = await nodeProblem(Date.now() - 10 * 60_000);
    if (node !== undefined) problems.push(`node: ${node}`);
  }
  return { running: problems.length === 0, kubeconfig, problems };
}
