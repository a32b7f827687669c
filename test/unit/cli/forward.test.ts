import type { V1Pod, V1Service } from "@kubernetes/client-node";
import { describe, expect, test } from "vitest";
import { parseServicePort, replicasOf } from "../../../infra/observe/service.ts";

const service = (targetPort?: number | string): V1Service => ({
  metadata: { name: "trillian-logserver" },
  spec: { ports: [{ port: 8091, ...(targetPort === undefined ? {} : { targetPort }) }] },
});

function pod(name: string, ready = true, leaving = false): V1Pod {
  return {
    metadata: { name, ...(leaving ? { deletionTimestamp: new Date() } : {}) },
    spec: { containers: [{ name: "c", ports: [{ name: "grpc", containerPort: 8090 }] }] },
    status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

describe("the pod behind a Service", () => {
  test.each([
    ["a number", 8090],
    ["a number as text", "8090"],
    ["a port's name", "grpc"],
  ])("target port as %s", (_kind, targetPort) => {
    const [target] = replicasOf(service(targetPort), [pod("a")], 8091);
    expect(target).toMatchObject({ pod: "a", port: 8090, serving: true });
  });

  test("no target port means the same port", () => {
    expect(replicasOf(service(), [pod("a")], 8091)).toMatchObject([{ pod: "a", port: 8091 }]);
  });

  test("serves when it is ready and stays; one that has ended is none", () => {
    const ended = { ...pod("ended", false), status: { phase: "Failed" } };
    const pods = [pod("starting", false), pod("leaving", true, true), pod("serving"), ended];
    const found = replicasOf(service(1), pods, 8091).map(({ pod, serving }) => [pod, serving]);
    expect(found).toEqual([
      ["starting", false],
      ["leaving", false],
      ["serving", true],
    ]);
  });

  test("a port that the Service lacks is named with those that it has", () => {
    expect(() => replicasOf(service(), [pod("a")], 1)).toThrow(/no port 1 \(it has: 8091\)/);
  });
});

describe("NAMESPACE/SERVICE:PORT", () => {
  test("is read", () => {
    expect(parseServicePort("trillian-system/trillian-logserver:8091")).toEqual({
      namespace: "trillian-system",
      service: "trillian-logserver",
      port: 8091,
    });
  });

  test.each(["", "a:1", "a/b", "a/b:x", "a/b:70000", "A/b:1", "a/b:1/c"])("%j is not", (text) => {
    expect(() => parseServicePort(text)).toThrow(/NAMESPACE\/SERVICE:PORT, for example/);
  });
});
