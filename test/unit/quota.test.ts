import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quotaOf } from "../../infra/config/quota.ts";
import {
  assertQuota,
  limitRangeSpec,
  needOf,
  quotaProblems,
  resourceQuotaSpec,
} from "../../infra/platform/quota.ts";
import { components } from "../../infra/scaffold/names.ts";
import { configWith } from "../support/config.ts";
import { hosts } from "../support/tlsSecret.ts";

const usual = configWith();
const mebibyte = 2 ** 20;

/** A quota that gives each namespace what it needs, or a share of it. */
function quotaFor(config: typeof usual, share = 1) {
  const given = components.map((component) => {
    const need = needOf(component, config);
    const memory = (bytes: number) => `${Math.max(1, Math.ceil((bytes * share) / mebibyte))}Mi`;
    const cpu = `${Math.max(1, Math.ceil(need.cpu * share * 1000))}m`;
    const pods = Math.max(1, Math.ceil(need.pods * share));
    const memoryLimits = memory(need.memoryLimits);
    return [component, { cpu, memory: memory(need.memory), memoryLimits, pods }];
  });
  return { components: Object.fromEntries(given) as Record<string, object> };
}

describe("what a namespace needs", () => {
  test("is its pods with those of a roll, init containers and the Jobs", () => {
    const need = needOf("trillian", usual);
    // Log server 2 and 1 more, log signer 1 and 1 more, one database.
    expect(need.pods).toBe(6);
    expect(need.cpu).toBeCloseTo(3 * 0.02 + 2 * 0.02 + 0.05, 10);
    expect(need.memory).toBe((3 * 64 + 2 * 64 + 256) * mebibyte);
    expect(need.memoryLimits).toBe((3 * 512 + 2 * 512 + 2048) * mebibyte);
    expect(need.storage).toBe(4 * 2 ** 30);
    // Two serving states of the mirror, the Job and the schedule.
    expect(needOf("tuf", usual)).toMatchObject({ pods: 5, storage: 0 });
    expect(needOf("tuf", { ...usual, probe: "none" }).pods).toBe(4);
  });

  test("is the volumes of Rekor too, and nothing of what others run", () => {
    const volumes = configWith({
      searchIndex: { size: "1Gi" },
      attestations: { size: "5Gi", accessMode: "ReadWriteMany" },
    });
    expect(needOf("rekor", usual).storage).toBe(0);
    expect(needOf("rekor", volumes).storage).toBe(6 * 2 ** 30);
    const elsewhere = configWith({
      database: { external: { host: "mysql.corp.test", user: "trillian" } },
      searchIndex: { external: { host: "redis.corp.test" } },
    });
    expect(needOf("trillian", elsewhere)).toMatchObject({ pods: 5, storage: 0 });
    expect(needOf("rekor", elsewhere).pods).toBe(needOf("rekor", usual).pods - 2);
    const none = configWith({ searchIndex: "none" });
    expect(needOf("rekor", none)).toEqual(needOf("rekor", elsewhere));
  });

  test("is TLS in front of each server that clients call, where a Route re-encrypts", () => {
    const route = (termination: string) =>
      configWith({ platform: "openshift", exposure: { type: "route", termination, hosts } });
    const more = (component: (typeof components)[number]) => {
      const [plain, tls] = ["edge", "reencrypt"].map((one) => needOf(component, route(one)));
      expect(tls!.pods).toBe(plain!.pods);
      return (tls!.memory - plain!.memory) / mebibyte;
    };
    // Two pods and one more of a roll; the mirror speaks TLS itself.
    const each = 3 * 16;
    expect(components.map((component) => [component, more(component)])).toEqual([
      ["trillian", 0],
      ["ctLog", each],
      ["tsa", each],
      ["fulcio", each],
      ["rekor", each],
      ["tuf", 0],
    ]);
  });

  test("grows with replicas, and an init container that asks for more counts in its place", () => {
    const more = configWith({ replicas: { fulcio: 4 } });
    expect(needOf("fulcio", more).pods).toBe(needOf("fulcio", usual).pods + 2);
    const small = configWith({ resources: { rekor: { requests: { memory: "1Mi" } } } });
    const saved = needOf("rekor", usual).memory - needOf("rekor", small).memory;
    // 64Mi became 1Mi, but the container that waits asks for 16Mi.
    expect(saved).toBe(3 * (64 - 16) * mebibyte);
  });
});

describe("a quota", () => {
  test("that is just enough is accepted for any size of the stack", () => {
    fc.assert(
      fc.property(
        fc.record({
          fulcio: fc.integer({ min: 1, max: 9 }),
          trillianLogServer: fc.integer({ min: 1, max: 9 }),
        }),
        fc.integer({ min: 1, max: 4000 }),
        (replicas, cores) => {
          const resources = { tsa: { requests: { cpu: `${cores}m` } } };
          const config = configWith({ replicas, resources });
          expect(
            quotaProblems(configWith({ replicas, resources, quota: quotaFor(config) })),
          ).toEqual([]);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("that is half of it is refused for each namespace, at once", () => {
    const half = configWith({ quota: quotaFor(usual, 0.5) });
    const problems = quotaProblems(half);
    for (const part of ["trillian", "ctlog", "tsa", "fulcio", "rekor-1", "tuf"])
      expect(problems.filter((line) => line.includes(`anchorhold-local-${part}:`))).not.toEqual([]);
    expect(() => assertQuota(half)).toThrow(/^anchorhold:quota is too small for the stack/);
  });

  test("says the namespace, what is needed and what is given", () => {
    const quota = {
      components: { trillian: { memory: "512Mi", pods: 5, storage: "1Gi", cpu: "0.1" } },
    };
    expect(quotaProblems(configWith({ quota }))).toEqual([
      "namespace anchorhold-local-trillian: cpu 0.1 is given, 150m needed",
      "namespace anchorhold-local-trillian: memory 512Mi is given, 576Mi needed",
      "namespace anchorhold-local-trillian: pods 5 is given, 6 needed",
      "namespace anchorhold-local-trillian: storage 1Gi is given, 4096Mi needed",
    ]);
  });

  test("holds for all components, where none has its own", () => {
    const { quota } = configWith({
      quota: { cpu: 2, memory: "4Gi", components: { tuf: { memory: "1Gi" } } },
    });
    expect(quotaOf(quota, "fulcio")).toEqual({ cpu: "2", memory: "4Gi" });
    expect(quotaOf(quota, "tuf")).toEqual({ cpu: "2", memory: "1Gi" });
    expect(quotaOf(undefined, "tuf")).toBeUndefined();
    expect(() => assertQuota(usual)).not.toThrow();
  });

  test("is what Kubernetes counts, and whoever says nothing gets what it wants said", () => {
    const quota = { cpu: "2", memory: "4Gi", memoryLimits: "8Gi", pods: 20, storage: "20Gi" };
    expect(resourceQuotaSpec(quota)).toEqual({
      hard: {
        "requests.cpu": "2",
        "requests.memory": "4Gi",
        "limits.memory": "8Gi",
        pods: "20",
        "requests.storage": "20Gi",
      },
    });
    expect(resourceQuotaSpec({ pods: 3 })).toEqual({ hard: { pods: "3" } });
    expect(limitRangeSpec.limits).toHaveLength(1);
  });

  test.each([
    [{ memry: "1Gi" }, "anchorhold:quota: unknown key memry"],
    [{ memory: "1G" }, "anchorhold:quota.memory: must be an amount of memory such as 512Mi"],
    [{ components: { mysql: {} } }, "anchorhold:quota.components: "],
  ])("refuses %j and names its place", (quota, message) => {
    expect(() => configWith({ quota })).toThrow(message);
  });
});
