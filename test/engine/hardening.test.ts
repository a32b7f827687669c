// What quotas and network policies say of the pods, held against the objects that the chart renders to
// after post-rendering and the program's own.
import { beforeAll, describe, expect, test } from "vitest";
import { podGroups, edges, type PodGroup } from "../../infra/platform/networkEdges.ts";
import { needOf } from "../../infra/platform/quota.ts";
import { quantity } from "../../infra/scaffold/sizes.ts";
import { components, type Component } from "../../infra/scaffold/names.ts";
import { configWith } from "../support/config.ts";
import { findHelm } from "./support/helm.ts";
import { allPods, type PodOwner } from "./support/stackPods.ts";

const config = configWith();
let pods: PodOwner[];

beforeAll(async () => {
  pods = allPods(await findHelm());
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
