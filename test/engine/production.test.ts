// What production's containers are given, seen on the objects that an update makes there;
// docs/hardening.md holds the table.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quantity } from "../../infra/scaffold/sizes.ts";
import { markdownTable } from "../support/markdownTable.ts";
import { ownConfig } from "../support/stacks.ts";
import { podsIn, sumOf, type PodMaker } from "./support/podMakers.ts";
import { ProgramUnderTest } from "./support/stack.ts";

let program: ProgramUnderTest;
let makers: PodMaker[];
const mirror = String(ownConfig("production")["anchorhold:mirror"]);

beforeAll(async () => {
  program = await ProgramUnderTest.create(undefined, undefined, "production");
  (await program.engine.up()).expectSuccess();
  makers = podsIn(program.engine.cluster.all());
}, 300_000);

afterAll(() => program.close());

type Container = PodMaker["pod"]["containers"][number];

interface Row {
  maker: PodMaker;
  container: Container;
  isInit: boolean;
}

const rows = (): Row[] =>
  makers.flatMap((maker) => [
    ...(maker.pod.initContainers ?? []).map((container) => ({ maker, container, isInit: true })),
    ...maker.pod.containers.map((container) => ({ maker, container, isInit: false })),
  ]);

/** A container that ends has no probes: its end says all. */
const hasProbes = ({ maker, container, isInit }: Row) =>
  maker.kind !== "Deployment" || isInit
    ? "ends"
    : "readinessProbe" in container && "livenessProbe" in container;

const columns: Record<string, (row: Row) => string | boolean> = {
  seccomp: ({ maker }) => maker.pod.securityContext?.seccompProfile?.type === "RuntimeDefault",
  "not root": ({ maker }) => maker.pod.securityContext?.runAsNonRoot === true,
  "root read-only": ({ container }) => container.securityContext?.readOnlyRootFilesystem === true,
  "no capabilities": ({ container }) =>
    String(container.securityContext?.capabilities?.drop) === "ALL" &&
    container.securityContext?.allowPrivilegeEscalation === false,
  probes: hasProbes,
  digest: ({ container }) => /@sha256:[a-f0-9]{64}$/.test(container.image),
  mirror: ({ container }) => container.image.startsWith(`${mirror}/`),
};

const sizes = ({ container: { resources } }: Row) => [
  resources.requests?.["cpu"] ?? "none",
  resources.requests?.["memory"] ?? "none",
  resources.limits?.["memory"] ?? "none",
];

/** A name without what the update made up. */
const plainName = (name: string) => name.replace(/-[0-9a-f]{8,12}$/, "");

function table(): string {
  const said = (value: string | boolean) =>
    typeof value === "string" ? value : value ? "yes" : "NO";
  const lines = rows().map((row) => [
    plainName(row.maker.name),
    row.container.name,
    ...sizes(row),
    ...Object.values(columns).map((column) => said(column(row))),
    row.maker.pod.automountServiceAccountToken === false ? "none" : "yes",
  ]);
  const titles = ["of", "container", "cpu", "memory", "memory limit"];
  return markdownTable([...titles, ...Object.keys(columns), "API token"], lines);
}

test("every container has requests, a limit, probes unless it ends, and all that keeps it in", () => {
  expect(rows().length).toBeGreaterThan(12);
  for (const row of rows()) {
    const name = `${row.maker.name}, ${row.container.name}`;
    expect(sizes(row), name).not.toContain("none");
    for (const [what, column] of Object.entries(columns))
      expect(column(row), `${name}: ${what}`).not.toBe(false);
  }
});

test("the API's token is only where it is used", () => {
  const withToken = makers.filter(({ pod }) => pod.automountServiceAccountToken !== false);
  expect([...new Set(withToken.map(({ name }) => plainName(name)))].sort()).toEqual([
    "fulcio-server",
    "tuf-mirror-revision-signing",
    "tuf-timestamp",
  ]);
});

test("the sum of the requests fits each namespace's quota", () => {
  const quotas = program.engine.cluster.all().filter(({ kind }) => kind === "ResourceQuota") as {
    metadata: { namespace: string };
    spec: { hard: Record<string, string> };
  }[];
  expect(quotas).toHaveLength(6);
  const said: Record<string, string> = {};
  for (const { metadata, spec } of quotas) {
    const own = makers.filter(({ namespace }) => namespace === metadata.namespace);
    for (const what of ["cpu", "memory"]) {
      const sum = sumOf(own, what);
      const hard = quantity(spec.hard[`requests.${what}`] ?? "0");
      said[`${metadata.namespace} ${what}`] = `${Number(sum.toFixed(3))} of ${hard}`;
      expect(sum, `${metadata.namespace}: ${what}`).toBeLessThanOrEqual(hard);
    }
  }
  console.table(said);
});

test("the table is the one of docs/hardening.md", () => {
  console.log(table());
  const docs = readFileSync(new URL("../../docs/hardening.md", import.meta.url), "utf8");
  expect(docs).toContain(table());
});
