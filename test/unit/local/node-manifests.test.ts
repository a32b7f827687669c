import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { staleReady, type PodStatus } from "../../../local/node/health.ts";
import {
  coreDns,
  issuerDiscovery,
  storageClass,
  volume,
  volumeNumbers,
} from "../../../local/node/manifests.ts";

describe("objects of a new cluster", () => {
  const all = [issuerDiscovery(), storageClass(), volume(1, "/h/volumes"), ...coreDns("dns:1")];

  test("each is applied at the path that its own fields say", () => {
    for (const { path, object } of all) {
      const { apiVersion, metadata } = object as {
        apiVersion: string;
        metadata: { name: string; namespace?: string };
      };
      const root = apiVersion === "v1" ? "/api/v1/" : `/apis/${apiVersion}/`;
      expect(path.startsWith(root)).toBe(true);
      expect(path.endsWith(`/${metadata.name}`)).toBe(true);
      expect(path.includes("/namespaces/")).toBe(metadata.namespace !== undefined);
    }
  });

  test("a volume's number is its folder, and its data is kept", () => {
    expect(volume(3, "/h/volumes").object).toMatchObject({
      metadata: { name: "anchorhold-volume-3" },
      spec: { persistentVolumeReclaimPolicy: "Retain", hostPath: { path: "/h/volumes/3" } },
    });
  });

  test("there are always six unclaimed volumes, and no number is given twice or dropped", () => {
    const existing = fc.uniqueArray(
      fc.record({ number: fc.integer({ min: 1, max: 50 }), claimed: fc.boolean() }),
      { selector: ({ number }) => number },
    );
    fc.assert(
      fc.property(existing, (volumes) => {
        const numbers = volumeNumbers([
          { metadata: { name: "of-somebody-else" }, spec: {} },
          ...volumes.map(({ number, claimed }) => ({
            metadata: { name: `anchorhold-volume-${number}` },
            spec: claimed ? { claimRef: {} } : {},
          })),
        ]);
        expect(new Set(numbers).size).toBe(numbers.length);
        for (const { number } of volumes) expect(numbers).toContain(number);
        const claimed = volumes.filter((each) => each.claimed).length;
        expect(numbers.length - claimed).toBe(Math.max(6, volumes.length - claimed));
      }),
    );
  });
});

describe("readiness from before a stop", () => {
  const pod = (ready: string, containerID: string, running: boolean): PodStatus => ({
    metadata: { namespace: "default", name: "web" },
    status: {
      conditions: [{ type: "Ready", status: ready }],
      containerStatuses: [{ containerID, state: running ? { running: {} } : {} }],
    },
  });
  const living = new Set(["abc"]);

  test("counts only while the container is there", () => {
    expect(staleReady([pod("True", "containerd://abc", true)], living)).toEqual([]);
    expect(staleReady([pod("True", "containerd://old", true)], living)).toEqual(["default/web"]);
  });

  test("is not claimed by a pod that is not Ready, or whose container is not said to run", () => {
    expect(staleReady([pod("False", "containerd://old", true)], living)).toEqual([]);
    expect(staleReady([pod("True", "containerd://old", false)], living)).toEqual([]);
  });
});
