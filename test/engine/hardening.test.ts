// What every container of the stack is given, seen on the objects that the chart renders to after
// post-rendering and on the program's own; docs/hardening.md holds the table.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { podGroups, edges, type PodGroup } from "../../infra/platform/networkEdges.ts";
import { needOf } from "../../infra/platform/quota.ts";
import { quantity } from "../../infra/scaffold/sizes.ts";
import { components, type Component } from "../../infra/scaffold/names.ts";
import { configWith } from "../support/config.ts";
import { markdownTable } from "../support/markdownTable.ts";
import { findHelm } from "./support/helm.ts";
import { allPods, type PodOwner } from "./support/stackPods.ts";

const config = configWith();
let pods: PodOwner[];

beforeAll(async () => {
  pods = allPods(await findHelm());
});

type Container = PodOwner["pod"]["containers"][number];

interface Row {
  owner: PodOwner;
  container: Container;
  isInit: boolean;
}

const rows = (): Row[] =>
  pods.flatMap((owner) => [
    ...(owner.pod.initContainers ?? []).map((container) => ({ owner, container, isInit: true })),
    ...owner.pod.containers.map((container) => ({ owner, container, isInit: false })),
  ]);

/** A container that ends has no probes: its end says all. */
const hasProbes = ({ owner, container, isInit }: Row) =>
  owner.kind !== "Deployment" || isInit
    ? "ends"
    : "readinessProbe" in container && "livenessProbe" in container;

const columns: Record<string, (row: Row) => string | boolean> = {
  seccomp: ({ owner }) => owner.pod.securityContext?.seccompProfile?.type === "RuntimeDefault",
  "not root": ({ owner }) => owner.pod.securityContext?.runAsNonRoot === true,
  "root read-only": ({ container }) => container.securityContext?.readOnlyRootFilesystem === true,
  "no capabilities": ({ container }) =>
    String(container.securityContext?.capabilities?.drop) === "ALL" &&
    container.securityContext?.allowPrivilegeEscalation === false,
  probes: hasProbes,
  digest: ({ container }) => /@sha256:[a-f0-9]{64}$/.test(container.image),
};

const sizes = ({ container: { resources } }: Row) => [
  resources.requests?.cpu ?? "none",
  resources.requests?.memory ?? "none",
  resources.limits?.memory ?? "none",
];

function table(): string {
  const said = (value: string | boolean) =>
    typeof value === "string" ? value : value ? "yes" : "NO";
  return markdownTable(
    ["of", "container", "cpu", "memory", "memory limit", ...Object.keys(columns), "API token"],
    rows().map((row) => [
      row.owner.name,
      row.container.name,
      ...sizes(row),
      ...Object.values(columns).map((column) => said(column(row))),
      row.owner.pod.automountServiceAccountToken === false ? "none" : "yes",
    ]),
  );
}

describe("every container", () => {
  test("has requests and a limit of memory, probes unless it ends, and all that keeps it in", () => {
    expect(rows().length).toBeGreaterThan(12);
    for (const row of rows()) {
      const name = `${row.owner.name}, ${row.container.name}`;
      expect(sizes(row), name).not.toContain("none");
      for (const [what, column] of Object.entries(columns))
        expect(column(row), `${name}: ${what}`).not.toBe(false);
    }
  });

  test("has the API's token only where it uses it", () => {
    const withToken = pods.filter(({ pod }) => pod.automountServiceAccountToken !== false);
    expect(withToken.map(({ name }) => name)).toEqual(["fulcio-server", "tuf-signer"]);
  });

  test("is in the table of docs/hardening.md", () => {
    console.log(table());
    const docs = readFileSync(new URL("../../docs/hardening.md", import.meta.url), "utf8");
    expect(docs).toContain(table());
  });
});

describe("what a quota is held against", () => {
  const at = (amounts: Record<string, string> | undefined, what: string) =>
    quantity(amounts?.[what] ?? "0");
  const perPod = ({ pod }: PodOwner, of: "requests" | "limits", what: string) =>
    Math.max(
      pod.containers.reduce((sum, { resources }) => sum + at(resources[of], what), 0),
      ...(pod.initContainers ?? []).map(({ resources }) => at(resources[of], what)),
    );

  test.each(components)("is what the objects of %s ask for", (component: Component) => {
    const own = pods.filter((owner) => owner.component === component);
    const sum = (of: "requests" | "limits", what: string) =>
      own.reduce((total, owner) => total + owner.most * perPod(owner, of, what), 0);
    expect(own.length).toBeGreaterThan(0);
    const need = needOf(component, config);
    expect(need.pods).toBe(own.reduce((total, { most }) => total + most, 0));
    expect(need.cpu).toBeCloseTo(sum("requests", "cpu"), 9);
    expect(need.memory).toBe(sum("requests", "memory"));
    expect(need.memoryLimits).toBe(sum("limits", "memory"));
  });
});

describe("network policies", () => {
  const selects = ({ component, labels }: PodGroup, owner: PodOwner) =>
    component === owner.component &&
    Object.entries(labels).every(([label, value]) => owner.labels[label] === value);
  const groups = podGroups(config);

  test("select each pod by one policy that allows, and each policy selects pods", () => {
    for (const owner of pods)
      expect(groups.filter((group) => selects(group, owner)).length, owner.name).toBe(1);
    for (const group of groups)
      expect(pods.filter((owner) => selects(group, owner)).length, group.name).toBe(1);
  });

  test("lead to ports that the pods listen on", () => {
    const inside = edges(config).filter(({ to }) => "namespace" in to);
    expect(inside.length).toBeGreaterThan(9);
    for (const { to, ports } of inside) {
      const [owner] = pods.filter((one) => selects(to as PodGroup, one));
      const open = owner?.pod.containers.flatMap((container) => container.ports ?? []) ?? [];
      expect(open.map(({ containerPort }) => containerPort)).toEqual(
        expect.arrayContaining([...ports]),
      );
    }
  });
});
