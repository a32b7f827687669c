import { markdownTable } from "../../support/markdownTable.ts";
import type { PodMaker } from "./podMakers.ts";

type Container = PodMaker["pod"]["containers"][number];

/** A container of something that makes pods. */
export interface ContainerRow {
  maker: PodMaker;
  container: Container;
  isInit: boolean;
}

export const containerRows = (makers: readonly PodMaker[]): ContainerRow[] =>
  makers.flatMap((maker) => [
    ...(maker.pod.initContainers ?? []).map((container) => ({ maker, container, isInit: true })),
    ...maker.pod.containers.map((container) => ({ maker, container, isInit: false })),
  ]);

/** A container that ends has no probes: its end says all. */
const hasProbes = ({ maker, container, isInit }: ContainerRow) =>
  maker.kind !== "Deployment" || isInit
    ? "ends"
    : "readinessProbe" in container && "livenessProbe" in container;

/** What must hold for each of them: false is a fault. */
const hardening = (mirror: string): Record<string, (row: ContainerRow) => string | boolean> => ({
  seccomp: ({ maker }) => maker.pod.securityContext?.seccompProfile?.type === "RuntimeDefault",
  "not root": ({ maker }) => maker.pod.securityContext?.runAsNonRoot === true,
  "root read-only": ({ container }) => container.securityContext?.readOnlyRootFilesystem === true,
  "no capabilities": ({ container }) =>
    String(container.securityContext?.capabilities?.drop) === "ALL" &&
    container.securityContext?.allowPrivilegeEscalation === false,
  probes: hasProbes,
  digest: ({ container }) => /@sha256:[a-f0-9]{64}$/.test(container.image),
  mirror: ({ container }) => container.image.startsWith(`${mirror}/`),
});

/** Requested cpu and memory, and the limit of memory; `none` is a fault. */
const sizesOf = ({ container: { resources } }: ContainerRow): string[] => [
  resources.requests?.["cpu"] ?? "none",
  resources.requests?.["memory"] ?? "none",
  resources.limits?.["memory"] ?? "none",
];

/** Every fault of every container, in words. */
export function faults(makers: readonly PodMaker[], mirror: string): string[] {
  return containerRows(makers).flatMap((row) => {
    const name = `${row.maker.name}, ${row.container.name}`;
    const failed = Object.entries(hardening(mirror)).filter(([, holds]) => holds(row) === false);
    const sized = sizesOf(row).includes("none") ? ["sizes"] : [];
    return [...failed.map(([what]) => what), ...sized].map((what) => `${name}: ${what}`);
  });
}

/** Kubernetes mounts it, or the pod itself does; one for another audience opens nothing there. */
export function hasToken({ automountServiceAccountToken, volumes = [] }: PodMaker["pod"]): boolean {
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  const own = sources.some(
    ({ serviceAccountToken: token }) => token !== undefined && token.audience === undefined,
  );
  return automountServiceAccountToken !== false || own;
}

/** A name without what the update made up. */
export const plainName = (name: string): string => name.replace(/-[0-9a-f]{8,12}$/, "");

/** As docs/hardening.md has it. */
export function hardeningTable(rows: readonly ContainerRow[], mirror: string): string {
  const said = (value: string | boolean) =>
    typeof value === "string" ? value : value ? "yes" : "NO";
  const columns = hardening(mirror);
  const lines = rows.map((row) => [
    plainName(row.maker.name),
    row.container.name,
    ...sizesOf(row),
    ...Object.values(columns).map((column) => said(column(row))),
    hasToken(row.maker.pod) ? "yes" : "none",
  ]);
  const titles = ["of", "container", "cpu", "memory", "memory limit"];
  return markdownTable([...titles, ...Object.keys(columns), "API token"], lines);
}
