// What the node writes into iptables, and how every trace of it is removed. kube-proxy and kubelet
// name all their chains KUBE-*, our own two are ANCHORHOLD-*; nothing else is ever touched.
import { LocalError } from "../errors.ts";
import { must, run } from "./exec.ts";
import { addresses } from "./layout.ts";

const owned = /^(KUBE|ANCHORHOLD)-/;

/** One table in the format of iptables-save(8). */
interface Table {
  name: string;
  chains: string[];
  rules: string[];
}

/** Tables of an `iptables-save` output: `*table`, `:CHAIN policy [counters]`, `-A CHAIN …`. */
function parseTables(saved: string): Table[] {
  const tables: Table[] = [];
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) tables.push({ name: line.slice(1), chains: [], rules: [] });
    else if (line.startsWith(":")) tables.at(-1)?.chains.push(line.slice(1).split(" ")[0] ?? "");
    else if (line.startsWith("-A ")) tables.at(-1)?.rules.push(line);
  }
  return tables;
}

/** The node's chains in an `iptables-save` output, as `table/CHAIN`. */
export function ownChains(saved: string): string[] {
  return parseTables(saved).flatMap((table) =>
    table.chains.filter((chain) => owned.test(chain)).map((chain) => `${table.name}/${chain}`),
  );
}

/**
 * The input for `iptables-restore --noflush` that removes the node's chains and every rule that
 * jumps into them, and nothing else. Empty when there is nothing to remove.
 */
export function removalScript(saved: string): string {
  return parseTables(saved)
    .flatMap((table) => {
      const chains = table.chains.filter((chain) => owned.test(chain));
      if (chains.length === 0) return [];
      const jumps = table.rules.filter((rule) => {
        const [, chain = ""] = rule.split(" ");
        const unquoted = rule.replace(/"(?:\\.|[^"\\])*"/g, ""); // comments may hold anything
        const target = / -[jg] (\S+)/.exec(unquoted)?.[1] ?? "";
        return !owned.test(chain) && owned.test(target);
      });
      return [
        `*${table.name}`,
        ...jumps.map((rule) => rule.replace(/^-A /, "-D ")),
        ...chains.map((chain) => `-F ${chain}`),
        ...chains.map((chain) => `-X ${chain}`),
        "COMMIT",
        "",
      ];
    })
    .join("\n");
}

/** Names of the tables that exist (iptables-nft shows only those that were used). */
export function tableNames(saved: string): string[] {
  return parseTables(saved).map((table) => table.name);
}

/** Tables that hold nothing but empty built-in chains which accept everything. */
export function emptyTables(saved: string): string[] {
  const blocked = new Set(
    [...saved.matchAll(/^\*(\S+)\n(?:[:#].*\n)*?:\S+ (?!ACCEPT )/gm)].map((match) => match[1]),
  );
  return parseTables(saved)
    .filter((table) => table.rules.length === 0 && !blocked.has(table.name))
    .map((table) => table.name);
}

const families = [
  { name: "ip", program: "iptables" },
  { name: "ip6", program: "ip6tables" },
] as const;

const save = async (program: string): Promise<string> => (await run(`${program}-save`, [])).stdout;

/** Tables in use now, as `ip/nat`: to know at the end which ones the node brought. */
export async function currentTables(): Promise<string[]> {
  const names: string[] = [];
  for (const { name, program } of families) {
    names.push(...tableNames(await save(program)).map((table) => `${name}/${table}`));
  }
  return names;
}

/** The node's chains in both families. */
export async function currentChains(): Promise<string[]> {
  const chains: string[] = [];
  for (const { name, program } of families) {
    chains.push(...ownChains(await save(program)).map((chain) => `${name}/${chain}`));
  }
  return chains;
}

/**
 * Removes the node's chains and rules, and the tables that came with them.
 * @param before tables that were there before the node, as {@link currentTables} gave them
 */
export async function removeRules(before: readonly string[] | undefined): Promise<void> {
  for (const { name, program } of families) {
    const script = removalScript(await save(program));
    if (script) await must(`${program}-restore`, ["--noflush", "-w", "5"], script);
    if (!before) continue;
    // Only the nftables variant makes tables on use, and only nft can remove them.
    for (const table of emptyTables(await save(program))) {
      if (!before.includes(`${name}/${table}`)) await run("nft", ["delete", "table", name, table]);
    }
  }
}

/**
 * Lets pods through where the machine's own policy would drop them (Docker sets FORWARD to DROP,
 * firewalls do the same to INPUT), and gives them the machine's address when they leave it.
 */
export async function allowPods(): Promise<void> {
  const { bridge, pods } = addresses;
  const filter = [
    "*filter",
    ":ANCHORHOLD-PODS - [0:0]",
    `-A ANCHORHOLD-PODS -i ${bridge} -j ACCEPT`,
    `-A ANCHORHOLD-PODS -o ${bridge} -j ACCEPT`,
    "COMMIT",
    "*nat",
    ":ANCHORHOLD-PODS - [0:0]",
    `-A ANCHORHOLD-PODS -s ${pods} ! -d ${pods} -j MASQUERADE`,
    "COMMIT",
    "",
  ].join("\n");
  await must("iptables-restore", ["--noflush", "-w", "5"], filter);
  await ensureJump("filter", "FORWARD");
  await ensureJump("filter", "INPUT");
  await ensureJump("nat", "POSTROUTING");
}

async function ensureJump(table: string, chain: string): Promise<void> {
  const rule = [chain, "-j", "ANCHORHOLD-PODS"];
  const there = await run("iptables", ["-w", "5", "-t", table, "-C", ...rule]);
  if (there.code !== 0) await must("iptables", ["-w", "5", "-t", table, "-A", ...rule]);
}

/** @throws LocalError if another Kubernetes node's chains are on this machine. */
export async function assertNoForeignChains(): Promise<void> {
  const chains = await currentChains();
  if (chains.length === 0) return;
  throw new LocalError(
    `Another Kubernetes node uses this machine's iptables (chains ${chains.slice(0, 3).join(", ")}). ` +
      "Use that cluster (npm start -- --context NAME), or stop it and remove its chains " +
      "(kube-proxy --cleanup), then repeat.",
  );
}
