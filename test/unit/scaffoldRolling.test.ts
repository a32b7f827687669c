import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Manifest } from "../../infra/scaffold/postrender/manifest.ts";
import { postrender } from "../../infra/scaffold/postrender/rules.ts";
import {
  containerOf,
  deployment,
  job,
  object,
  podOf,
  servers,
  singles,
  specOf,
} from "../support/manifests.ts";

const budgetsIn = (manifests: readonly Manifest[]) =>
  manifests.filter(({ kind }) => kind === "PodDisruptionBudget");

describe("a server that rolls", () => {
  test.each(servers)("%s leaves slowly, after its successor is there, on another node", (part) => {
    const [rolled] = postrender([deployment(part)]);
    const { selector } = specOf(rolled);
    expect(containerOf(rolled).lifecycle).toEqual({ preStop: { sleep: { seconds: 6 } } });
    expect(specOf(rolled)).toMatchObject({
      minReadySeconds: 2,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        spec: {
          terminationGracePeriodSeconds: 36,
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: "kubernetes.io/hostname",
              whenUnsatisfiable: "ScheduleAnyway",
              labelSelector: selector,
              matchLabelKeys: ["pod-template-hash"],
            },
          ],
        },
      },
    });
  });

  test("the chart's strategy gives way, its replicas stay", () => {
    const spec = { strategy: { type: "Recreate", rollingUpdate: null }, replicas: 7 };
    const [rolled] = postrender([deployment("fulcio", { spec })]);
    expect(specOf(rolled)).toMatchObject({
      replicas: 7,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    });
  });

  test.each([
    ["a longer sleep", { sleep: { seconds: 20 } }, undefined, 50],
    ["a hook that is no sleep", { httpGet: { port: 5555 } }, undefined, 36],
    ["more time to end", undefined, 120, 120],
    ["too little time to end", undefined, 5, 36],
  ])("%s of the chart's own is taken into account", (_what, preStop, given, grace) => {
    const [rolled] = postrender([
      deployment("ctlog", {
        container: preStop === undefined ? {} : { lifecycle: { preStop } },
        pod: given === undefined ? {} : { terminationGracePeriodSeconds: given },
      }),
    ]);
    expect(containerOf(rolled).lifecycle?.preStop).toEqual(preStop ?? { sleep: { seconds: 6 } });
    expect(podOf(rolled).terminationGracePeriodSeconds).toBe(grace);
  });

  test("other hooks, constraints and a longer time to settle stay", () => {
    const postStart = { httpGet: { port: 5555 } };
    const [zone] = [{ topologyKey: "topology.kubernetes.io/zone", maxSkew: 1 }];
    const [rolled] = postrender([
      deployment("tsa", {
        container: { lifecycle: { postStart } },
        pod: { topologySpreadConstraints: [zone] },
        spec: { minReadySeconds: 10 },
      }),
    ]);
    expect(containerOf(rolled).lifecycle).toMatchObject({ postStart, preStop: {} });
    expect(podOf(rolled).topologySpreadConstraints).toEqual([zone]);
    expect(specOf(rolled).minReadySeconds).toBe(10);
  });

  test("a container beside it goes when it goes, not before", () => {
    const containers = [{ name: "main", ports: [{ containerPort: 1 }] }, { name: "beside" }];
    const [rolled] = postrender([deployment("rekor/server", { pod: { containers } })]);
    expect(podOf(rolled).containers.map(({ lifecycle }) => lifecycle)).toEqual([
      { preStop: { sleep: { seconds: 6 } } },
      undefined,
    ]);
  });
});

describe("a disruption budget", () => {
  test.each(servers)("%s has one, by its name, labels and selector", (part) => {
    const server = deployment(part);
    expect(budgetsIn(postrender([server, object("Service", "other")]))).toEqual([
      {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: server.metadata,
        spec: {
          maxUnavailable: 1,
          unhealthyPodEvictionPolicy: "AlwaysAllow",
          selector: specOf(server).selector,
        },
      },
    ]);
  });

  const chartBudget = (namespace: string, matchLabels: Record<string, string>) =>
    object("PodDisruptionBudget", "of-the-chart", {
      apiVersion: "policy/v1",
      metadata: { name: "of-the-chart", namespace },
      spec: { minAvailable: 1, selector: { matchLabels } },
    });

  test("of the chart's own is enough: no pod with two can be evicted", () => {
    const own = chartBudget("a", { "app.kubernetes.io/name": "tsa" });
    expect(budgetsIn(postrender([deployment("tsa"), own]))).toEqual([own]);
  });

  test.each([
    ["for other pods", chartBudget("a", { "app.kubernetes.io/name": "other" })],
    ["in another namespace", chartBudget("b", { "app.kubernetes.io/name": "tsa" })],
  ])("%s is none for this server", (_what, other) => {
    expect(budgetsIn(postrender([deployment("tsa"), other]))).toHaveLength(2);
  });
});

describe("what has one pod", () => {
  test.each(singles)("%s keeps the chart's way to roll, and no budget blocks a drain", (part) => {
    const spec = { strategy: { type: "Recreate" } };
    const once = deployment(part, { spec, pod: { automountServiceAccountToken: false } });
    const [left, ...more] = postrender([once]);
    expect(more).toEqual([]);
    expect({ ...specOf(left), template: {} }).toEqual({ ...specOf(once), template: {} });
    expect(podOf(left)).not.toHaveProperty("topologySpreadConstraints");
    expect(containerOf(left)).not.toHaveProperty("lifecycle");
  });
});

const labelled = fc.dictionary(fc.constantFrom("a", "b"), fc.string(), { maxKeys: 2 });
const untouched = fc.record({
  kind: fc.constantFrom("Service", "ConfigMap"),
  name: fc.stringMatching(/^[a-z]{1,8}$/),
  more: fc.record({ data: labelled, spec: fc.object({ maxDepth: 3 }) }),
});
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const seconds = fc.nat({ max: 100 });
const anyDeployment = fc
  .record({
    part: fc.constantFrom(...servers, ...singles),
    sleep: maybe(seconds),
    exec: fc.boolean(),
    grace: maybe(seconds),
    strategy: maybe(fc.constantFrom("Recreate", "RollingUpdate")),
  })
  .map(({ part, sleep, exec, grace, strategy }) =>
    deployment(part, {
      container: {
        ...(sleep === undefined ? {} : { lifecycle: { preStop: { sleep: { seconds: sleep } } } }),
        ...(exec ? { livenessProbe: { exec: { command: ["true"] } } } : {}),
      },
      pod: grace === undefined ? {} : { terminationGracePeriodSeconds: grace },
      spec: strategy === undefined ? {} : { strategy: { type: strategy } },
    }),
  );
const anyChart = fc
  .record({
    // A Release has each Deployment once.
    deployments: fc.uniqueArray(anyDeployment, { selector: ({ metadata }) => metadata.name }),
    others: fc.array(untouched.map(({ kind, name, more }) => object(kind, name, more))),
    jobs: fc.array(fc.constant(job("createtree")), { maxLength: 2 }),
  })
  .chain(({ deployments, others, jobs }) => {
    const all = [...deployments, ...others, ...jobs];
    return fc.shuffledSubarray(all, { minLength: all.length });
  });

describe("whatever the chart renders", () => {
  test("running it again changes nothing", () => {
    fc.assert(
      fc.property(anyChart, (manifests) => {
        const once = postrender(manifests);
        expect(postrender(once)).toEqual(once);
      }),
    );
  });

  test("Services and ConfigMaps stay as they are, and what was given is not written to", () => {
    const plain = ({ kind }: Manifest) => kind === "Service" || kind === "ConfigMap";
    fc.assert(
      fc.property(anyChart, (manifests) => {
        const before = structuredClone(manifests);
        expect(postrender(manifests).filter(plain)).toEqual(before.filter(plain));
        expect(manifests).toEqual(before);
      }),
    );
  });

  test("every Deployment stays, and each server has one budget and time to leave", () => {
    fc.assert(
      fc.property(anyChart, (manifests) => {
        const names = (list: Manifest[]) => list.map(({ metadata }) => metadata.name).sort();
        const deployments = (list: Manifest[]) => list.filter(({ kind }) => kind === "Deployment");
        const rendered = postrender(manifests);
        expect(names(deployments(rendered))).toEqual(names(deployments(manifests)));
        const rolling = deployments(rendered).filter(({ metadata }) =>
          servers.some((part) => part.replace("/", "-") === metadata.name),
        );
        expect(names(budgetsIn(rendered))).toEqual(names(rolling));
        for (const server of rolling) {
          const sleep = containerOf(server).lifecycle?.preStop?.sleep?.seconds ?? NaN;
          const grace = podOf(server).terminationGracePeriodSeconds ?? NaN;
          expect(grace).toBeGreaterThanOrEqual(sleep + 30);
        }
      }),
    );
  });
});
