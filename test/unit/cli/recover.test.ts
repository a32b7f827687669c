import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { outcome, staleRecords } from "../../../cli/recover/helm.ts";
import { assertDead, locksInMessage, readLocks, stateFolder } from "../../../cli/recover/lock.ts";
import { orphansAmong, removal } from "../../../cli/recover/orphans.ts";
import { judgeOwner, thisHost, type Host, type Lock } from "../../../cli/recover/owner.ts";
import { begun, unfinished, withResources } from "../../../cli/recover/takeOver.ts";
import { lost, nameOf, stateSchema, type Resource } from "../../../cli/state.ts";

const lock: Lock = {
  pid: 4711,
  username: "ann",
  hostname: "ci-1",
  timestamp: "2026-11-23T01:15:08.5Z",
};
const taken = Date.parse(lock.timestamp);
const host = (found?: ReturnType<Host["process"]>): Host => ({
  hostname: "ci-1",
  process: () => found,
});

describe("the owner of a lock", () => {
  test.each<[string, Host, string]>([
    ["no such process", host(), "dead"],
    ["Pulumi, begun before", host({ started: taken - 1000, command: "pulumi up" }), "alive"],
    ["begun after the lock was taken", host({ started: taken + 60_000 }), "dead"],
    ["another program", host({ started: taken - 1000, command: "nginx: worker" }), "dead"],
    ["a process of which nothing is known", host({}), "alive"],
    ["clocks that read whole seconds", host({ started: taken + 900 }), "alive"],
    ["another machine", { ...host(), hostname: "ci-2" }, "elsewhere"],
  ])("%s", (_, where, expected) => {
    const verdict = judgeOwner(lock, where);
    expect(verdict.owner).toBe(expected);
    expect(verdict.why).toContain("ann@ci-1, process 4711, since 2026-11-23T01:15:08.5Z");
  });

  test("a real process lives, and is gone when it has ended", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "pulumi"]);
    await once(child, "spawn");
    const own = { ...lock, hostname: hostname(), pid: child.pid ?? 0 };
    const now = { ...own, timestamp: new Date(Date.now() + 5000).toISOString() };
    expect(judgeOwner(now, thisHost).owner).toBe("alive");
    expect(judgeOwner({ ...own, timestamp: "2020-01-01T00:00:00Z" }, thisHost).owner).toBe("dead");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(judgeOwner(now, thisHost).owner).toBe("dead");
  });

  test("a living one is waited for, one elsewhere needs the user's word", () => {
    expect(() => assertDead([lock], host({ command: "pulumi up" }), true)).toThrow(/Wait for it/);
    const elsewhere = { ...host(), hostname: "ci-2" };
    expect(() => assertDead([lock], elsewhere, false)).toThrow(/--owner-is-gone/);
    expect(assertDead([lock], elsewhere, true)).toHaveLength(1);
  });
});

describe("locks", () => {
  test("are read as Pulumi writes them, and nothing else is taken for one", () => {
    const folder = mkdtempSync(join(tmpdir(), "anchorhold-locks-"));
    try {
      expect(readLocks(join(folder, "none"))).toEqual([]);
      writeFileSync(join(folder, "a.json"), JSON.stringify(lock));
      expect(readLocks(folder)).toEqual([lock]);
      writeFileSync(join(folder, "b.json"), "{}");
      expect(() => readLocks(folder)).toThrow(/b\.json is no lock that this version reads/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("are read from what Pulumi says about a backend elsewhere", () => {
    const text =
      "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to " +
      "end or delete the lock file with `pulumi cancel`.\n  s3://state/.pulumi/locks/organization/" +
      "anchorhold/prod/1.json: created by ann@ci-1 (pid 4711) at 2026-11-23T01:15:08Z";
    expect(locksInMessage(text)).toEqual([{ ...lock, timestamp: "2026-11-23T01:15:08Z" }]);
    expect(locksInMessage("error: no such stack")).toEqual([]);
  });

  test.each([
    ["file:///srv/state", "/srv/state"],
    ["file://~", "/home/ann"],
    ["file://~/state?no_tmp_dir=true", "/home/ann/state"],
    ["s3://bucket", undefined],
    ["https://api.pulumi.com", undefined],
  ])("of %s", (url, folder) => expect(stateFolder(url, "/home/ann")).toBe(folder));
});

const record = (name: string, version: string, status: string) => ({
  name: `sh.helm.release.v1.${name}.v${version}`,
  namespace: "s-ctlog",
  uid: version,
  labels: { owner: "helm", name, version, status },
});

describe("Helm's records", () => {
  const records = [
    record("ctlog", "8", "superseded"),
    record("ctlog", "9", "deployed"),
    record("ctlog", "10", "pending-upgrade"),
    record("other", "1", "pending-install"),
    record("fine", "2", "deployed"),
    record("broken", "3", "failed"), // Helm goes on from there by itself
  ];
  const found = (unknown: string[]) => staleRecords(records, unknown);

  test("that are pending stand in the way", () => {
    expect(found([]).map((stale) => [stale.release, stale.revision, stale.deployed])).toEqual([
      ["ctlog", 10, 9],
      ["other", 1, undefined],
    ]);
    expect(found([]).map(outcome)).toEqual([
      expect.stringMatching(/s-ctlog\/ctlog: revision 10 is pending-upgrade; .* revision 9 counts/),
      expect.stringMatching(/s-ctlog\/other: revision 1 is pending-install, .* takes over what is/),
    ]);
  });

  test("of a release that the state does not know stand in the way", () => {
    const fine = found(["fine"]).filter(({ release }) => release === "fine");
    expect(fine.map(({ revision, status }) => [revision, status])).toEqual([[2, "deployed"]]);
    expect(fine.map(outcome)).toEqual([expect.stringMatching(/which the state does not know/)]);
  });
});

/** As it is read from a state. */
const stateResource = (one: object): Resource =>
  stateSchema.parse({ version: 3, deployment: { resources: [one] } }).deployment.resources[0]!;

describe("what was being made", () => {
  const urn = (name: string) => `urn:pulumi:t::anchorhold::x::${name}`;
  const resource = (name: string, more: object = {}) => ({
    urn: urn(name),
    type: "kubernetes:core/v1:Service",
    inputs: { apiVersion: "v1", kind: "Service", metadata: { name, namespace: "s-tuf" } },
    ...more,
  });
  const state = stateSchema.parse({
    version: 3,
    deployment: {
      resources: [
        resource("made-since", { id: "s-tuf/made-since" }),
        resource("replaced", { id: "s-tuf/replaced", pendingReplacement: true }),
        resource("last", { id: "s-tuf/last" }),
      ],
      pending_operations: [
        { type: "creating", resource: resource("made-since") },
        { type: "creating", resource: resource("replaced") },
        { type: "creating", resource: resource("new") },
        { type: "updating", resource: resource("last") },
      ],
    },
  });

  test("is lost unless the state has it in another way", () => {
    expect(lost(state).map(nameOf)).toEqual(["replaced", "new"]);
  });

  test("comes into the state as not finished, in the place of what it replaces", () => {
    const made = lost(state).map((one) => unfinished(one, begun(one)!));
    const { resources } = withResources(state, made).deployment;
    expect(resources.map(nameOf)).toEqual(["made-since", "replaced", "last", "new"]);
    expect(resources.at(-1)).toMatchObject({
      id: "s-tuf/new",
      outputs: { kind: "Service", __inputs: { kind: "Service" } },
      initErrors: [expect.stringContaining("killed")],
    });
    expect(resources[1]).not.toHaveProperty("pendingReplacement");
  });

  test("comes before what is still there, which the next update deletes", () => {
    const at = (name: string, more: object = {}) => ({
      ...resource("server", { id: `s-tuf/${name}`, ...more }),
      inputs: { apiVersion: "v1", kind: "Service", metadata: { name, namespace: "s-tuf" } },
    });
    const replacing = stateSchema.parse({
      version: 3,
      deployment: {
        resources: [
          resource("job"),
          at("old"),
          resource("gate", { dependencies: [urn("server")] }),
        ],
        pending_operations: [
          { type: "creating", resource: at("new", { dependencies: [urn("job")] }) },
        ],
      },
    });
    const made = lost(replacing).map((one) => unfinished(one, begun(one)!));
    const { resources } = withResources(replacing, made).deployment;
    expect(resources.map(({ id, delete: gone }) => [id, gone])).toEqual([
      [undefined, undefined],
      ["s-tuf/new", undefined],
      ["s-tuf/old", true],
      [undefined, undefined],
    ]);
  });

  test("is no object when it is a Release, a key, or of a name of Pulumi's", () => {
    const of = (more: object) => stateResource(resource("x", more));
    expect(begun(of({}))).toMatchObject({ metadata: { name: "x", namespace: "s-tuf" } });
    const annotations = { "pulumi.com/autonamed": "true" };
    const named = { apiVersion: "v1", kind: "Secret", metadata: { name: "x-1", annotations } };
    expect(begun(of({ inputs: named }))).toBe(undefined);
    expect(begun(of({ type: "tls:index/privateKey:PrivateKey" }))).toBe(undefined);
    const release = { name: "x", namespace: "s-tuf", chart: "scaffold" };
    expect(begun(of({ type: "kubernetes:helm.sh/v3:Release", inputs: release }))).toBe(undefined);
  });
});

describe("orphans", () => {
  const urn = (name: string) => `urn:pulumi:t::anchorhold::x::${name}`;
  const state = stateSchema.parse({
    version: 3,
    deployment: {
      resources: [
        { urn: urn("config"), type: "kubernetes:core/v1:Secret", id: "s-ctlog/config-1" },
      ],
    },
  });
  const autoNamed = { "pulumi.com/autonamed": "true" };
  const secret = (name: string, more: object) => ({
    kind: "Secret",
    metadata: { name, namespace: "s-ctlog", ...more },
  });

  test.each([
    ["known to the state", secret("config-1", { annotations: autoNamed }), false],
    ["an older try of the same", secret("config-2", { annotations: autoNamed }), true],
    [
      "the same name of another kind",
      { ...secret("config-1", { annotations: autoNamed }), kind: "ConfigMap" },
      true,
    ],
    ["named by the program", secret("fixed", {}), false],
    ["made by Helm", secret("a", { annotations: { "meta.helm.sh/release-name": "ctlog" } }), false],
    [
      "made by another object",
      secret("d", { annotations: autoNamed, ownerReferences: [{}] }),
      false,
    ],
  ])("%s: %j", (_, found, expected) => {
    const { name } = found.metadata;
    const orphans = [{ kind: found.kind, namespace: "s-ctlog", name }];
    expect(orphansAmong([found], state)).toEqual(expected ? orphans : []);
  });

  test("are removed by a command that a person runs", () => {
    expect(removal({ kind: "ConfigMap", namespace: "s-tuf", name: "tuf-1" })).toBe(
      "kubectl delete configmap --namespace s-tuf tuf-1",
    );
  });
});
