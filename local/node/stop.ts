import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LocalError } from "../errors.ts";
import type { Report } from "../report.ts";
import { containedProcesses, ownCgroups, removeCgroups } from "./cgroups.ts";
import { componentNames } from "./components.ts";
import { containerdProblem, endShims, removeContainers, sandboxIds, shims } from "./containerd.ts";
import { currentChains, removeRules } from "./iptables.ts";
import { layout } from "./layout.ts";
import { forgetMachine, notedMachine, removeFixedFolders } from "./machine.ts";
import { currentMounts, unmountBelow } from "./mounts.ts";
import { cniResultFiles, nodeDevices, removeCniResults, keepLastAddress } from "./network.ts";
import { removeDevices, restoreSettings } from "./network.ts";
import { endProcesses, endRecorded, livingRecord, signalProcess } from "./processes.ts";

/** How long containers may take to end in an orderly way: databases write their last pages. */
const containerGrace = 10_000;

const mountFolders = [layout.run, layout.containerdRoot];

/** Folders and sockets of one run; logs stay until the next start, for a look at what happened. */
const runPaths = [
  layout.containerdState,
  layout.cni,
  layout.kubelet,
  layout.podLogs,
  join(layout.run, "runc"),
  layout.containerdSocket,
  `${layout.containerdSocket}.ttrpc`,
];

/** Ends the node and removes its every trace from the machine, state and caches excepted. */
export async function endNode(report: Report): Promise<void> {
  const begin = Date.now();
  // First those that would start containers or rules again.
  await endRecorded(["kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager"], 5_000);
  const runtime = livingRecord("containerd") && (await containerdProblem()) === undefined;
  await endContainers(runtime ? await sandboxIds() : new Set());
  if (runtime) await removeContainers();
  await endRecorded(["kube-apiserver"], 5_000);
  await endRecorded(["etcd", "containerd"], 10_000);
  await endShims();
  await clearMachine();
  const left = await leftovers();
  if (left.length > 0) {
    throw new LocalError(
      `The local node was stopped, but this is left on the machine:\n  ${left.join("\n  ")}\n` +
        "Repeat npm run down; if it stays, restart the machine.",
    );
  }
  report(`node: stopped in ${((Date.now() - begin) / 1000).toFixed(1)} s, nothing left behind`);
}

/**
 * Ends all containers: first the workloads, then what holds their pods' namespaces open.
 * As a runtime does, TERM goes to a container's first process only; KILL goes to all.
 */
async function endContainers(sandboxes: ReadonlySet<string>): Promise<void> {
  const workloads = (): ReturnType<typeof containedProcesses> =>
    containedProcesses().filter(({ cgroup }) => !sandboxes.has(cgroup));
  for (const { id } of workloads()) {
    const first = firstProcess(id.pid);
    if (first) signalProcess(id.pid, first.catchesTerm ? "SIGTERM" : "SIGKILL");
  }
  const end = Date.now() + containerGrace;
  while (workloads().length > 0 && Date.now() < end) await sleep(100);
  for (let round = 0; round < 10; round++) {
    const rest = containedProcesses();
    if (rest.length === 0) return;
    await endProcesses(
      rest.map(({ id }) => id),
      0,
    );
  }
}

/**
 * Whether a process is number 1 in its own pid namespace (`NSpid` in /proc/<pid>/status), and
 * catches TERM (bit 14 of `SigCgt`). The kernel keeps TERM from a number 1 that does not.
 */
function firstProcess(pid: number): { catchesTerm: boolean } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    if (!/^NSpid:.*\s1$/m.test(status)) return undefined;
    const caught = BigInt(`0x${/^SigCgt:\s*(\S+)/m.exec(status)?.[1] ?? "0"}`);
    return { catchesTerm: (caught & (1n << 14n)) !== 0n };
  } catch {
    return undefined; // ended meanwhile
  }
}

/** Removes mounts, devices, rules, cgroups and files of a node whose processes have ended. */
async function clearMachine(): Promise<void> {
  const machine = notedMachine();
  await clearRun();
  await removeDevices();
  await removeRules(machine?.tables);
  removeCniResults();
  removeLogLinks();
  await removeCgroups();
  if (machine) {
    for (const file of deviceFiles) rmSync(join(deviceFolder, file), { force: true });
    removeFixedFolders(machine);
    restoreSettings(machine.settings);
  }
  forgetMachine();
}

/**
 * Removes the folders of a run that has ended.
 * @throws LocalError while something is mounted in them: behind a mount could be a volume's data
 */
export async function clearRun(): Promise<void> {
  const mounted = await unmountBelow(mountFolders);
  if (mounted.length > 0) {
    throw new LocalError(
      `These mounts of the local node cannot be undone:\n  ${mounted.join("\n  ")}\n` +
        "End the processes that use them (fuser -vm PATH), then repeat npm run down.",
    );
  }
  keepLastAddress();
  for (const path of runPaths) rmSync(path, { recursive: true, force: true });
}

/** kubelet's files for device plugins, at a fixed place as well. */
const deviceFolder = "/var/lib/kubelet/device-plugins";
const deviceFiles = ["kubelet.sock", "kubelet_internal_checkpoint", "DEPRECATION"];

/** kubelet links every container's log here, whatever its configuration says. */
const logLinks = "/var/log/containers";

function ownLogLinks(): string[] {
  if (!existsSync(logLinks)) return [];
  return readdirSync(logLinks, { withFileTypes: true })
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => join(logLinks, entry.name))
    .filter((link) => readlinkSync(link).startsWith(layout.podLogs + sep));
}

function removeLogLinks(): void {
  for (const link of ownLogLinks()) rmSync(link, { force: true });
}

/** What the node still has on this machine, in words; empty after a stop. */
export async function leftovers(): Promise<string[]> {
  return [
    ...componentNames
      .flatMap((name) => livingRecord(name) ?? [])
      .map(({ name, pid }) => `process ${pid} (${name})`),
    ...containedProcesses().map(({ id }) => `process ${id.pid} (in a container)`),
    ...shims().map(({ pid }) => `process ${pid} (containerd-shim)`),
    ...currentMounts(mountFolders).map((path) => `mount ${path}`),
    ...nodeDevices().map((device) => `network device ${device}`),
    ...(await currentChains()).map((chain) => `iptables chain ${chain}`),
    ...ownCgroups().map((path) => `cgroup ${path}`),
    ...cniResultFiles().map((path) => `file ${path}`),
    ...ownLogLinks().map((path) => `link ${path}`),
    ...runPaths.filter((path) => existsSync(path)).map((path) => `path ${path}`),
  ];
}

/** Removes the node's state: every object of the cluster, its keys, the volumes' data. */
export function purgeState(report: Report): void {
  for (const path of [
    layout.etcd,
    layout.pki,
    layout.volumes,
    layout.kubeconfig,
    layout.lastAddress,
  ]) {
    rmSync(path, { recursive: true, force: true });
  }
  report(`node: objects, keys and volumes removed from ${join(layout.etcd, "..")}`);
}
