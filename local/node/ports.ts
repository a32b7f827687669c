import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { LocalError } from "../errors.ts";

/**
 * Every TCP port that the node listens on, in one place.
 *
 * The well-known numbers (6443, 2379, 10250 …) are avoided so that the node can stand beside
 * another cluster's tools, and so is everything from 30000 up: NodePorts and the kernel's own
 * range for outgoing connections begin there.
 */
export const ports = {
  "kube-apiserver": 26443,
  "etcd (clients)": 22379,
  "etcd (peers)": 22380,
  "kubelet (API)": 20250,
  "kubelet (health)": 20248,
  "kube-proxy (health)": 20256,
  "kube-proxy (metrics)": 20249,
  "kube-controller-manager": 20257,
  "kube-scheduler": 20259,
} as const;

/** A listening TCP socket: its port and the inode that names it in /proc/<pid>/fd. */
export interface Listener {
  port: number;
  inode: string;
}

/**
 * The listening sockets in a table of the kernel (`/proc/net/tcp` or `tcp6`, format in proc(5)):
 * column 2 is `address:port` in hexadecimal, column 4 the state (`0A` is LISTEN), column 10 the
 * inode.
 */
export function parseListeners(table: string): Listener[] {
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === "0A")
    .map((columns) => ({
      port: Number.parseInt(columns[1]?.split(":").at(-1) ?? "", 16),
      inode: columns[9] ?? "",
    }));
}

/** The pid that holds the socket with this inode, if /proc shows it. */
function holderOf(inode: string): number | undefined {
  const link = `socket:[${inode}]`;
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const held = readdirSync(`/proc/${pid}/fd`).some(
        (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === link,
      );
      if (held) return Number(pid);
    } catch {
      // The process or one of its files is gone, or is not ours to read.
    }
  }
  return undefined;
}

/** A port of the table that a process other than the node's own holds. */
export interface BusyPort {
  part: string;
  port: number;
  pid?: number;
}

/** Ports of the table held by processes that are not in `own`. */
export function busyPorts(own: ReadonlySet<number>): BusyPort[] {
  const listeners = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) => {
    try {
      return parseListeners(readFileSync(path, "utf8"));
    } catch {
      return []; // no IPv6 in this kernel
    }
  });
  return Object.entries(ports).flatMap(([part, port]) => {
    const listener = listeners.find((candidate) => candidate.port === port);
    if (!listener) return [];
    const pid = holderOf(listener.inode);
    if (pid !== undefined && own.has(pid)) return [];
    return [{ part, port, ...(pid === undefined ? {} : { pid }) }];
  });
}

/** One message for all ports that are taken: which, by whom, what to do. */
export function describeBusyPorts(busy: BusyPort[], nameOf: (pid: number) => string): string {
  const lines = busy.map(({ part, port, pid }) => {
    const holder = pid === undefined ? "an unknown process" : `${nameOf(pid)} (pid ${pid})`;
    return `  port ${port}, wanted by ${part}, is held by ${holder}`;
  });
  return [
    "The local node cannot start, nothing was changed:",
    ...lines,
    "Stop what holds it (if that is an older node of this project: npm run down), then repeat.",
  ].join("\n");
}

/** Throws a {@link LocalError} if a port of the table is taken by somebody else. */
export function assertPortsFree(own: ReadonlySet<number>): void {
  const busy = busyPorts(own);
  if (busy.length > 0) throw new LocalError(describeBusyPorts(busy, commandName));
}

function commandName(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "a process";
  }
}
