import { describe, expect, test } from "vitest";
import type { Fault } from "../../../../cli/doctor/diagnose/fault.ts";
import { rewritten } from "../../../../cli/doctor/diagnose/rewritten.ts";
import { refreshAndUp, refuseChanges, refuseNewTrust } from "../../../../cli/doctor/fix/pulumi.ts";
import { keyOf, nextStep } from "../../../../cli/doctor/fix/steps.ts";
import { toJson, toText } from "../../../../cli/doctor/report.ts";

const urn = (type: string, name: string) => `urn:pulumi:local::anchorhold::${type}::${name}`;
const step = (op: string, type: string, name: string) => ({ op, urn: urn(type, name) });

describe("pulumi up --refresh", () => {
  const secret = step("update", "kubernetes:core/v1:Secret", "fulcio-signer");
  const key = "anchorhold:trust:FulcioCa$tls:index/privateKey:PrivateKey";
  const command = "anchorhold:trust:Gate$command:local:Command";

  test("is not run while changes wait", () => {
    expect(() => refuseChanges([step("same", "a", "b"), step("read", "a", "b")])).not.toThrow();
    expect(() => refuseChanges([secret])).toThrow(/Changes wait .*update fulcio-signer/);
  });

  test.each([
    step("create", key, "fulcio-ca-1-key"),
    step("replace", key, "fulcio-ca-1-key"),
    step("create", "pulumi:index:Stash", "fulcio-ca-1-public"),
    step("create", "random:index/randomPassword:RandomPassword", "password"),
    step("create-replacement", command, "ctlog-1-tree-create"),
  ])("is not run when it would $op $urn", (making) => {
    expect(() => refuseNewTrust([secret, making])).toThrow(/makes trust .*anchorhold restore/);
  });

  test("may touch anything else, and observe again", () => {
    const observe = step("create", command, "trusted-gate-observe");
    const release = step("create", "kubernetes:helm.sh/v3:Release", "fulcio-release");
    expect(() => refuseNewTrust([secret, observe, release])).not.toThrow();
  });

  test("looks at the plan twice before it acts", async () => {
    const calls: string[] = [];
    const run = (args: readonly string[]) => {
      calls.push(args.join(" "));
      return Promise.resolve({ code: 0, stdout: '{"steps":[]}', stderr: "" });
    };
    expect(await refreshAndUp(run)).toBe("ran pulumi up --refresh");
    expect(calls).toEqual([
      "preview --json",
      "preview --json --refresh",
      "up --refresh --yes --skip-preview",
    ]);
  });

  test("that cannot be planned is not run", async () => {
    const calls: string[] = [];
    const run = ([command = ""]: readonly string[]) => {
      calls.push(command);
      return Promise.resolve({ code: 255, stdout: "", stderr: "error: passphrase must be set" });
    };
    await expect(refreshAndUp(run)).rejects.toThrow(/preview fails, .*passphrase must be set/);
    expect(calls).toEqual(["preview"]);
  });
});

describe("the order of mending", () => {
  const fault = (id: string, repair?: Fault["repair"]): Fault => ({
    id,
    component: "fulcio",
    place: `Secret a/${id}`,
    users: ["expired at"],
    cause: "It is so.",
    command: "pulumi up",
    explains: ["serving"],
    repair,
  });
  const object = { apiVersion: "v1", kind: "Service", metadata: { name: "a" } };
  const release = { namespace: "a", name: "a" };
  const all = [
    fault("restart", { type: "restart", namespace: "a", pods: ["p"] }),
    fault("people"),
    fault("sign", { type: "sign" }),
    fault("pulumi", { type: "pulumi" }),
    fault("apply", { type: "apply", object, release }),
  ];

  test("is Helm's objects, Pulumi's, the timestamp, pods; and nothing twice", () => {
    const tried = new Set<string>();
    const order: string[] = [];
    for (let next = nextStep(all, tried); next.length > 0; next = nextStep(all, tried)) {
      order.push(...next.map(({ id }) => id));
      for (const done of next) tried.add(keyOf(done));
    }
    expect(order).toEqual(["apply", "pulumi", "sign", "restart"]);
  });

  test("pods with other names are the same fault", () => {
    const again = fault("restart", { type: "restart", namespace: "a", pods: ["q"] });
    const tried = new Set(nextStep([all[0]!], new Set()).map(keyOf));
    expect(nextStep([{ ...again, place: "Pod a/q" }], tried)).toEqual([]);
  });

  test("the report tells all of a fault, and no object", () => {
    const report = { faults: all, warnings: [], done: ["did"], refused: ["did not"] };
    const text = toText(report);
    expect(text).toContain('FAULT  apply: Secret a/apply\n       users see: "expired at"\n');
    expect(text).toMatch(/^done {3}did\nleft {3}did not\n/);
    expect(text).toMatch(/NOT healthy: 5 faults, 0 warnings\.$/);
    const json = JSON.parse(toJson(report)) as { faults: object[]; summary: object };
    expect(json.faults[4]).toEqual({
      id: "apply",
      component: "fulcio",
      place: "Secret a/apply",
      users: ["expired at"],
      cause: "It is so.",
      command: "pulumi up",
      fixable: true,
    });
    expect(json.summary).toEqual({ healthy: false, faults: 5, warnings: 0 });
  });

  test("no fault is health", () => {
    const report = { faults: [], warnings: [], done: [], refused: [] };
    expect(toText(report)).toBe("Healthy: 0 faults, 0 warnings.");
  });
});

describe("who has written a Secret since Pulumi", () => {
  const managed = {
    expected: { apiVersion: "v1", kind: "Secret", metadata: { name: "a" } },
    uid: "1",
    resourceVersion: "10",
    labels: { team: "a" },
    annotations: {},
  };
  const live = (metadata: object) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "a", uid: "1", resourceVersion: "11", labels: { team: "a" }, ...metadata },
  });
  const wrote = (manager: string, field: string) => ({
    managedFields: [
      { manager: "pulumi-kubernetes-1a2b", fieldsV1: { "f:data": {} } },
      { manager, time: "2026-11-22T10:00:00Z", fieldsV1: { [field]: {} } },
    ],
  });

  test.each([
    ["nobody", { resourceVersion: "10" }, undefined],
    ["another object of the name", { uid: "2" }, /deleted it and made it anew/],
    ["somebody who wrote the data", wrote("kubectl-patch", "f:data"), /^kubectl-patch at 2026/],
    ["somebody who wrote a label", wrote("kubectl-label", "f:metadata"), undefined],
    ["Pulumi again", wrote("pulumi-kubernetes", "f:data"), undefined],
    ["somebody, where nobody keeps count", {}, /^somebody else$/],
    ["a label, where nobody keeps count", { labels: { team: "b" } }, undefined],
  ])("%s", (_, metadata, expected) => {
    const found = rewritten(managed, live(metadata));
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(expected);
  });

  test("is not known of an object that Pulumi has not written", () => {
    const { expected, labels, annotations } = managed;
    const never = { expected, labels, annotations };
    expect(rewritten(never, live({}))).toBeUndefined();
  });
});
