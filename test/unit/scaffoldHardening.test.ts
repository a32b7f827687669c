import { describe, expect, test } from "vitest";
import { labelProblems, podSecurityLabels } from "../../infra/platform/podSecurity.ts";
import { assignedId } from "../../infra/scaffold/postrender/assigned.ts";
import { postrender } from "../../infra/scaffold/postrender/rules.ts";
import { quantity } from "../../infra/scaffold/sizes.ts";
import { ownPodSecurity, podSecurity } from "../../infra/scaffold/values/security.ts";
import { containerOf, deployment, podOf, servers, singles } from "../support/manifests.ts";

const mountsOf = (part: string) => {
  const [manifest] = postrender([deployment(part)]);
  const { volumes = [] } = podOf(manifest);
  return { volumes, mounts: containerOf(manifest).volumeMounts ?? [] };
};

describe("what MySQL writes beside its volume", () => {
  test("has empty folders of its own", () => {
    expect(mountsOf("trillian/mysql")).toEqual({
      volumes: [
        { name: "tmp", emptyDir: {} },
        { name: "run", emptyDir: {} },
      ],
      mounts: [
        { name: "tmp", mountPath: "/tmp" },
        { name: "run", mountPath: "/var/run/mysqld" },
      ],
    });
  });

  test("is beside the volumes that the chart gives, and made once", () => {
    const storage = { name: "storage", persistentVolumeClaim: { claimName: "trillian-mysql" } };
    const once = postrender([deployment("trillian/mysql", { pod: { volumes: [storage] } })]);
    expect(podOf(once[0]).volumes).toHaveLength(3);
    expect(postrender(once)).toEqual(once);
  });

  test.each([...servers, ...singles.filter((part) => part !== "trillian/mysql")])(
    "%s has none",
    (part) => expect(mountsOf(part)).toEqual({ volumes: [], mounts: [] }),
  );
});

describe("user ids", () => {
  const rendered = (securityContext: Record<string, unknown>) =>
    podOf(postrender([deployment("fulcio", { pod: { securityContext } })])[0]).securityContext;

  test("are those of the image, of its files' group as well", () => {
    expect(podSecurity(undefined, 999)).toMatchObject({
      runAsUser: 999,
      runAsGroup: 999,
      fsGroup: 999,
    });
    expect(rendered(podSecurity())).toEqual(podSecurity());
  });

  test("or one number with group 0, as OpenShift has it", () => {
    const ids = { runAsUser: 1_000_660_000, runAsGroup: 0, fsGroup: 1_000_660_000 };
    expect(podSecurity(1_000_660_000, 999)).toMatchObject(ids);
    expect(ownPodSecurity(1_000_660_000)).toMatchObject(ids);
  });

  test("or the cluster's, and then no pod names any", () => {
    const rest = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
    expect(Object.values(podSecurity("assigned"))).toContain(assignedId);
    expect(rendered(podSecurity("assigned"))).toEqual(rest);
    expect(ownPodSecurity("assigned")).toEqual(rest);
  });
});

describe("a namespace", () => {
  test("enforces, warns of and audits the restricted standard in its latest version", () => {
    expect(podSecurityLabels).toEqual({
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/enforce-version": "latest",
      "pod-security.kubernetes.io/warn": "restricted",
      "pod-security.kubernetes.io/warn-version": "latest",
      "pod-security.kubernetes.io/audit": "restricted",
      "pod-security.kubernetes.io/audit-version": "latest",
    });
  });

  test("takes any other label from the configuration", () => {
    expect(labelProblems({ team: "a", "pod-security.example.com/enforce": "none" })).toEqual([]);
    expect(labelProblems({ "pod-security.kubernetes.io/warn": "baseline" })).toHaveLength(1);
  });
});

test.each([
  ["10m", 0.01],
  ["2", 2],
  ["1.5", 1.5],
  ["64Mi", 64 * 2 ** 20],
  ["4Gi", 2 ** 32],
])("the quantity %s", (text, value) => expect(quantity(text)).toBeCloseTo(value, 10));

test.each(["", "5 Gi", "1e3", "-1", "4GB"])("no quantity is %j", (text) => {
  expect(() => quantity(text)).toThrow("is no quantity");
});
