import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalError } from "../errors.ts";
import type { LocalImage } from "../images/index.ts";
import type { Report } from "../report.ts";
import { must, run } from "./exec.ts";
import { layout, type Layout } from "./layout.ts";
import { endProcesses, identify, type ProcessId, type ProcessSpec } from "./processes.ts";

const namespace = "k8s.io"; // the one that containerd's CRI plugin uses

/**
 * containerd's configuration (version 2 of the format, containerd 1.6).
 * `restrict_oom_score_adj`: without CAP_SYS_RESOURCE nobody may lower a score, and every sandbox
 * would fail. The plugin `opt` would make /opt/containerd.
 */
export function containerdConfig(at: Layout, pauseImage: string): string {
  const text = (value: string): string => JSON.stringify(value); // also a TOML basic string
  return `version = 2
root = ${text(at.containerdRoot)}
state = ${text(at.containerdState)}
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = ${text(at.containerdSocket)}

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = ${text(pauseImage)}
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = ${text(join(at.cni, "net.d"))}

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
Root = ${text(join(at.run, "runc"))}
`;
}

const configPath = (at: Layout): string => join(at.run, "containerd.toml");

export function writeContainerdConfig(pauseImage: string): void {
  mkdirSync(layout.run, { recursive: true, mode: 0o700 });
  writeFileSync(configPath(layout), containerdConfig(layout, pauseImage));
}

export function containerdSpec(at: Layout): ProcessSpec {
  return { name: "containerd", program: "containerd", args: ["--config", configPath(at)] };
}

const ctrArgs = (args: string[]): string[] => [
  "--address",
  layout.containerdSocket,
  "--namespace",
  namespace,
  ...args,
];

/** What keeps containerd from being ready; undefined if it answers and its CRI plugin runs. */
export async function containerdProblem(): Promise<string | undefined> {
  const answer = await run("ctr", ctrArgs(["plugins", "list", "id==cri"]));
  if (answer.code !== 0) return answer.stderr.trim() || "it does not answer";
  return / ok\s*$/m.test(answer.stdout) ? undefined : "its CRI plugin is not loaded";
}

/** Imports the images whose reference is missing, two at a time. */
export async function importImages(images: readonly LocalImage[], report: Report): Promise<void> {
  const present = new Set((await must("ctr", ctrArgs(["images", "list", "-q"]))).split("\n"));
  const queue = images.filter((image) => !present.has(image.reference));
  const worker = async (): Promise<void> => {
    for (let image = queue.shift(); image; image = queue.shift()) await importImage(image, report);
  };
  await Promise.all([worker(), worker()]);
}

async function importImage(image: LocalImage, report: Report): Promise<void> {
  const begin = Date.now();
  await must("ctr", ctrArgs(["images", "import", image.archive]));
  const known = await must("ctr", ctrArgs(["images", "list", "-q", `name==${image.reference}`]));
  if (!known.includes(image.reference)) {
    throw new LocalError(
      `${image.archive} does not hold the image ${image.reference}. ` +
        "Delete that file and repeat: it is built again.",
    );
  }
  const megabytes = (statSync(image.archive).size / 1e6).toFixed(0);
  const seconds = ((Date.now() - begin) / 1000).toFixed(1);
  report(`image ${image.name}: imported, ${megabytes} MB in ${seconds} s`);
}

/** Ids of the containers that only hold a pod's namespaces open. */
export async function sandboxIds(): Promise<Set<string>> {
  const filter = 'labels."io.cri-containerd.kind"==sandbox';
  const answer = await run("ctr", ctrArgs(["containers", "list", "-q", filter]));
  return new Set(answer.stdout.split("\n").filter(Boolean));
}

/**
 * Removes every container and its writable layer from containerd, so that kubelet makes all pods
 * anew; images stay. Their processes must have ended.
 */
export async function removeContainers(): Promise<void> {
  const listed = await must("ctr", ctrArgs(["containers", "list", "-q"]));
  const ids = listed.split("\n").filter(Boolean);
  if (ids.length === 0) return;
  await run("ctr", ctrArgs(["tasks", "delete", "--force", ...ids])); // most have no task any more
  await must("ctr", ctrArgs(["containers", "delete", ...ids]));
}

/** containerd's shims of this node: their command line names our socket. */
export function shims(): ProcessId[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      const argv = commandLine(pid);
      return (argv[0] ?? "").includes("containerd-shim") && argv.includes(layout.containerdSocket);
    })
    .flatMap((pid) => identify(Number(pid)) ?? []);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/**
 * Ends the shims and removes their sockets, which lie in /run/containerd/s whatever the
 * configuration says; each bundle's file `address` names its own.
 */
export async function endShims(): Promise<void> {
  const sockets = shimSockets();
  await endProcesses(shims(), 1_000);
  for (const socket of sockets) rmSync(socket, { force: true });
}

function shimSockets(): string[] {
  const bundles = join(layout.containerdState, "io.containerd.runtime.v2.task", namespace);
  if (!existsSync(bundles)) return [];
  return readdirSync(bundles).flatMap((id) => {
    const path = join(bundles, id, "address");
    if (!existsSync(path)) return [];
    const address = readFileSync(path, "utf8").trim();
    return address.startsWith("unix://") ? [address.slice("unix://".length)] : [];
  });
}
