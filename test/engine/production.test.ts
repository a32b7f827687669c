// What production's containers are given, seen on the objects that an update makes there;
// docs/hardening.md holds the table.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quantity } from "../../infra/scaffold/sizes.ts";
import { ownConfig } from "../support/stacks.ts";
import { containerRows, faults, hardeningTable, hasToken, plainName } from "./support/hardening.ts";
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

test("every container has requests, a limit, probes unless it ends, and all that keeps it in", () => {
  expect(containerRows(makers).length).toBeGreaterThan(12);
  expect(faults(makers, mirror)).toEqual([]);
});

test("the API's token is only where it is used", () => {
  const withToken = makers.filter(({ pod }) => hasToken(pod));
  expect([...new Set(withToken.map(({ name }) => plainName(name)))].sort()).toEqual([
    "fulcio-server",
    "prober",
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
  const table = hardeningTable(containerRows(makers), mirror);
  console.log(table);
  const docs = readFileSync(new URL("../../docs/hardening.md", import.meta.url), "utf8");
  expect(docs).toContain(table);
});
