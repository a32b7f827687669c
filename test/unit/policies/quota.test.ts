import { describe, expect, test } from "vitest";
import { quantity } from "../../../policies/quantity.ts";
import { fitsQuota } from "../../../policies/rules/quota.ts";
import { release, stackViolations, unknownText, type Given } from "./support.ts";

const resources = (cpu: string, memory: string) => ({
  requests: { cpu, memory },
  limits: { memory },
});

/** Three pods of 100m and 64Mi, after an init container that wants more memory. */
function workload(changes: object = {}, container: object = {}, kind = "apps/v1:StatefulSet") {
  const spec = {
    initContainers: [{ name: "wait", resources: resources("50m", "128Mi") }],
    containers: [{ name: "one", resources: resources("100m", "64Mi"), ...container }],
  };
  const props = {
    metadata: { name: "s", namespace: "n" },
    spec: { replicas: 3, template: { spec }, ...changes },
  };
  return { type: `kubernetes:${kind}`, name: "s", props };
}

function quota(hard: unknown, namespace = "n"): Given {
  const props = { metadata: { name: "q", namespace }, spec: { hard } };
  return { type: "kubernetes:core/v1:ResourceQuota", name: "q", props };
}

const check = (...given: Given[]) => stackViolations(fitsQuota, given);
const tooSmall = (entry: string) => [`Namespace n: its pods need more ${entry} than its quota has`];

describe("fits-quota", () => {
  test("a stack without a quota fits", async () => {
    expect(await check(workload())).toEqual([]);
  });

  test.each([
    ["requests.cpu", "300m", "299m"],
    // An init container wants more than all others together.
    ["requests.memory", "384Mi", "383Mi"],
    ["limits.memory", "384Mi", "0.374Gi"],
    ["pods", "3", "2"],
  ])("%s: %s is enough, %s is not", async (entry, enough, less) => {
    expect(await check(workload(), quota({ [entry]: enough }))).toEqual([]);
    expect(await check(workload(), quota({ [entry]: less }))).toEqual(tooSmall(entry));
    expect(await check(workload(), quota({ [entry]: less }, "m"))).toEqual([]);
  });

  test("what rolls counts with the pods that come before others go", async () => {
    // Twice, since the program makes its own Deployments anew beside the former ones.
    const deployment = (strategy?: object) =>
      workload(strategy && { strategy }, {}, "apps/v1:Deployment");
    const need = async (given: Given) => {
      for (let pods = 1; ; pods++)
        if ((await check(given, quota({ pods }))).length === 0) return pods;
    };
    expect(await need(deployment())).toBe(8);
    expect(await need(deployment({ type: "Recreate" }))).toBe(6);
    expect(await need(deployment({ rollingUpdate: { maxSurge: 2 } }))).toBe(10);
    expect(await need(deployment({ rollingUpdate: { maxSurge: "100%" } }))).toBe(12);
  });

  test("volume claims count for storage", async () => {
    const claim = {
      type: "kubernetes:core/v1:PersistentVolumeClaim",
      props: {
        metadata: { name: "c", namespace: "n" },
        spec: { resources: { requests: { storage: "4Gi" } } },
      },
    };
    expect(await check(claim, quota({ "requests.storage": "4Gi" }))).toEqual([]);
    expect(await check(claim, quota({ "requests.storage": "4095Mi" }))).toEqual(
      tooSmall("requests.storage"),
    );
  });

  test.each([
    ["a container that requests nothing", workload({}, { resources: {} })],
    [
      "a request that is not known",
      workload({}, { resources: { requests: { cpu: unknownText } } }),
    ],
    ["a number of pods that is not known", workload({ replicas: unknownText })],
    ["a kind with a pod for each node", workload({}, {}, "apps/v1:DaemonSet")],
  ])("%s cannot be computed", async (_what, given) => {
    expect(await check(given, quota({ "requests.cpu": "9" }))).toEqual([
      "Namespace n: requests.cpu of its quota cannot be computed",
    ]);
  });

  test("nor can a quota that is not known, or of something else", async () => {
    expect(await check(workload(), quota(unknownText))).toEqual([
      "Namespace n: its quota is not known",
    ]);
    expect(await check(workload(), quota({ "count/pods.metrics": "1", pods: "x" }))).toEqual([
      "Namespace n: count/pods.metrics of its quota cannot be computed",
      "Namespace n: pods of its quota cannot be computed",
    ]);
  });

  test("nor can a Release that does not render", async () => {
    const one = release({});
    const given = [{ ...one, name: "one" }, quota({ pods: "9" })];
    const said = await stackViolations(fitsQuota, given, { config: { helm: "false" } });
    expect(said).toEqual(["Release one cannot be checked: helm template ended with 1"]);
  });
});

test("quantities", () => {
  const values = ["250m", "2", "0.5", "1e3", "1.5Gi", "4G", "64Mi", 3];
  expect(values.map(quantity)).toEqual([0.25, 2, 0.5, 1000, 1610612736, 4e9, 67108864, 3]);
  for (const none of ["", "1 Gi", "x", "1GiB", "-1", undefined, null, {}])
    expect(quantity(none)).toBeNaN();
});
