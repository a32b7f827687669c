import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import { LocalError } from "../errors.ts";
import { must, run } from "./exec.ts";
import { addresses, layout } from "./layout.ts";

/** The CNI network's name; the runtime's result files in {@link cniResults} begin with it. */
export const cniNetwork = "anchorhold";

/** Where libcni keeps results; containerd 1.6 has no setting for it. */
export const cniResults = "/var/lib/cni/results";

/**
 * The network configuration for the pods (CNI specification 1.0.0, plugins `bridge` and
 * `host-local`). Masquerading is left to one rule of ours instead of a chain for every pod.
 * @param dataDir where addresses in use are noted: of this run only, so that none leaks
 */
export function cniConfig(dataDir: string): object {
  return {
    cniVersion: "1.0.0",
    name: cniNetwork,
    plugins: [
      {
        type: "bridge",
        bridge: addresses.bridge,
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: addresses.pods, gateway: addresses.node }]],
          routes: [{ dst: "0.0.0.0/0" }],
          dataDir,
        },
      },
    ],
  };
}

/** Whether the bridge is there. */
export const bridgeExists = (): boolean => existsSync(`/sys/class/net/${addresses.bridge}`);

/** @throws LocalError if the bridge's name or addresses are taken by something else. */
export function assertNetworkFree(): void {
  if (bridgeExists()) {
    throw new LocalError(
      `The network device ${addresses.bridge} exists already: another container runtime uses it. ` +
        `Stop that runtime and remove the device (ip link delete ${addresses.bridge}), or use an ` +
        "existing cluster: npm start -- --context NAME.",
    );
  }
  const prefix = addresses.pods.slice(0, addresses.pods.lastIndexOf(".") + 1);
  for (const [device, list] of Object.entries(networkInterfaces())) {
    const clash = list?.find((entry) => entry.address.startsWith(prefix));
    if (clash) {
      throw new LocalError(
        `The network ${addresses.pods}, which the local node needs for its pods, is in use on ` +
          `${device} (${clash.address}). Take that device down, or use an existing cluster: ` +
          "npm start -- --context NAME.",
      );
    }
  }
}

/** Makes the bridge with the node's address, which kube-apiserver must find when it starts. */
export async function ensureBridge(): Promise<void> {
  const { bridge, node } = addresses;
  if (!bridgeExists()) await must("ip", ["link", "add", bridge, "type", "bridge"]);
  await must("ip", ["address", "replace", `${node}/24`, "dev", bridge]);
  await must("ip", ["link", "set", bridge, "up"]);
}

/** host-local counts on from this address (containernetworking/plugins, ipam/host-local). */
const lastAddress = (): string => join(layout.cni, "addresses", cniNetwork, "last_reserved_ip.0");

/**
 * Keeps the count of pod addresses over a stop. After a start the API still lists the endpoints of
 * before for a moment; if another pod had such an address by then, a client could get connected to
 * it for good (seen: ct_server's gRPC connection ended at the log signer).
 */
export function keepLastAddress(): void {
  if (existsSync(lastAddress())) copyFileSync(lastAddress(), layout.lastAddress);
}

function restoreLastAddress(): void {
  if (existsSync(lastAddress()) || !existsSync(layout.lastAddress)) return;
  mkdirSync(dirname(lastAddress()), { recursive: true });
  copyFileSync(layout.lastAddress, lastAddress());
}

export function writeCniConfig(): void {
  const folder = join(layout.cni, "net.d");
  mkdirSync(folder, { recursive: true });
  restoreLastAddress();
  const config = cniConfig(join(layout.cni, "addresses"));
  writeFileSync(join(folder, "10-anchorhold.conflist"), JSON.stringify(config, null, 2));
}

/** Devices of the node: the bridge and whatever is plugged into it. */
export function nodeDevices(): string[] {
  const ports = `/sys/class/net/${addresses.bridge}/brif`;
  return [
    ...(existsSync(ports) ? readdirSync(ports) : []),
    ...(bridgeExists() ? [addresses.bridge] : []),
  ];
}

export async function removeDevices(): Promise<void> {
  for (const device of nodeDevices()) await run("ip", ["link", "delete", device]);
}

/** Result files that libcni keeps for the node's pods, `<network>-<sandbox>-<device>`. */
export function cniResultFiles(): string[] {
  if (!existsSync(cniResults)) return [];
  const files = readdirSync(cniResults);
  const sandboxes = files
    .filter((file) => file.startsWith(`${cniNetwork}-`))
    .map((file) => file.split("-").at(-2) ?? "");
  return files
    .filter((file) => sandboxes.some((sandbox) => sandbox !== "" && file.includes(sandbox)))
    .map((file) => join(cniResults, file));
}

export function removeCniResults(): void {
  for (const file of cniResultFiles()) rmSync(file, { force: true });
}

/** Kernel settings that kube-proxy, kubelet, the CNI plugins or we change. */
const settings = [
  "net/ipv4/ip_forward",
  "net/ipv4/conf/all/route_localnet",
  "net/bridge/bridge-nf-call-iptables",
  "net/bridge/bridge-nf-call-ip6tables",
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
];

/** The kernel settings as they are, to be put back at the end. */
export function readSettings(): Record<string, string> {
  return Object.fromEntries(
    settings
      .filter((name) => existsSync(`/proc/sys/${name}`))
      .map((name) => [name, readFileSync(`/proc/sys/${name}`, "utf8").trim()]),
  );
}

export function restoreSettings(saved: Record<string, string>): void {
  for (const [name, value] of Object.entries(saved)) {
    const path = `/proc/sys/${name}`;
    if (settings.includes(name) && readFileSync(path, "utf8").trim() !== value) {
      writeFileSync(path, value);
    }
  }
}

/** Turns on what services need: forwarding, and iptables for packets that only cross the bridge. */
export function enableForwarding(): void {
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  writeFileSync("/proc/sys/net/bridge/bridge-nf-call-iptables", "1");
}
