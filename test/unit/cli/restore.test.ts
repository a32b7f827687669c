import { describe, expect, test } from "vitest";
import { assertAll, marksQuery, type Mark } from "../../../cli/restore/load.ts";
import { moved } from "../../../cli/restore/move.ts";
import { planRestore, type Situation } from "../../../cli/restore/plan.ts";
import { stateSchema, type State } from "../../../cli/state.ts";
import { logRecord } from "../trust/fixture.ts";

const urn = (type: string, name: string) => `urn:pulumi:local::anchorhold::${type}::${name}`;
const stash = (name: string, output: unknown) => ({
  urn: urn("pulumi:index:Stash", name),
  type: "pulumi:index:Stash",
  inputs: { input: output },
  outputs: { input: output, output },
});
const namespace = urn("kubernetes:core/v1:Namespace", "s-ctlog");
const root = (digit: string) => digit.repeat(64);
const checkpoint = (size: number, digit = "a") => ({ size, rootHash: root(digit) });

const ctLog = logRecord(1, "http://localhost:31083/ctlog-1");

/** A state at a time, of a cluster, that has seen ctlog-1 at a checkpoint. */
function stateOf({
  time = "2026-11-23T01:00:00Z",
  cluster = "old",
  instance = "one",
  seen = checkpoint(5),
} = {}): State {
  return stateSchema.parse({
    version: 3,
    deployment: {
      manifest: { time },
      resources: [
        stash("instance", instance),
        stash("cluster", { uid: cluster }),
        stash("ctlog-1-public", ctLog),
        stash("ctlog-switch-1", {
          at: "2026-11-23T00:59:00Z",
          checkpoints: { "ctlog-1": seen },
          generation: 1,
        }),
        { urn: namespace, type: "kubernetes:core/v1:Namespace", id: "s-ctlog" },
        {
          urn: urn("anchorhold:trust:Gate$command:local:Command", "gate"),
          type: "command:local:Command",
          dependencies: [namespace],
        },
        {
          urn: urn("anchorhold:trust:TrillianTree$command:local:Command", "tree"),
          type: "command:local:Command",
          dependencies: [namespace],
          propertyDependencies: { create: null, stdin: [namespace] },
          protect: true,
        },
      ],
      pending_operations: [
        { type: "updating", resource: { urn: namespace, type: "kubernetes:core/v1:Namespace" } },
      ],
    },
  });
}

const empty = stateSchema.parse({ version: 3, deployment: {} });

function situation({
  dumped = checkpoint(7),
  backup = stateOf(),
  current = empty,
  uid = "new",
  occupied = [] as string[],
} = {}): Situation {
  const manifest = {
    version: 1 as const,
    created: "2026-11-23T01:05:00Z",
    checkpoints: { "ctlog-1": dumped },
    stateBytes: 2,
  };
  return { backup: { manifest, state: backup }, current, cluster: { uid, occupied } };
}

const names = (state: State | undefined) =>
  state?.deployment.resources.map((resource) => resource.urn.split("::").at(-1));

describe("a state that moves", () => {
  const there = moved(stateOf());

  test("leaves behind what its cluster had, and what was observed there", () => {
    expect(names(there)).toEqual(["instance", "ctlog-1-public", "ctlog-switch-1", "tree"]);
    expect(there.deployment.pending_operations).toEqual([]);
  });

  test("names nothing that it left behind, and keeps the rest as it is", () => {
    expect(there.deployment.resources.at(-1)).toMatchObject({
      dependencies: [],
      propertyDependencies: { create: [], stdin: [] },
      protect: true,
    });
    expect(JSON.stringify(there)).not.toContain("s-ctlog");
  });

  test("once moved there is nothing more to leave", () => expect(moved(there)).toEqual(there));
});

describe("the plan", () => {
  test("without a state: the backup's, and its logs", () => {
    const plan = planRestore(situation());
    expect(names(plan.state)).toContain("ctlog-1-public");
    const { treeId } = ctLog;
    expect(plan.marks).toEqual([
      { name: "ctlog-1", treeId, size: 7, rootHash: root("a") },
      { name: "ctlog-1", treeId, size: 5, rootHash: root("a") },
    ]);
  });

  test("with a newer state of the lost cluster: that one", () => {
    const later = stateOf({ time: "2026-11-24T00:00:00Z", seen: checkpoint(6) });
    const plan = planRestore(situation({ current: later }));
    expect(plan.marks.map(({ size }) => size)).toEqual([7, 6]);
    expect(names(plan.state)).not.toContain("cluster");
  });

  test("with an older state: the backup's", () => {
    const older = stateOf({ time: "2026-11-01T00:00:00Z", seen: checkpoint(2) });
    const plan = planRestore(situation({ current: older }));
    expect(plan.marks.map(({ size }) => size)).toEqual([7, 5]);
  });

  test("begun in this cluster already: its own state stays", () => {
    const begun = stateOf({ time: "2026-11-24T00:00:00Z", cluster: "new" });
    expect(planRestore(situation({ current: begun, occupied: ["s-ctlog"] })).state).toBe(undefined);
  });

  test("of another Sigstore's stack is refused", () => {
    const other = stateOf({ instance: "two" });
    expect(() => planRestore(situation({ current: other }))).toThrow(/another Sigstore/);
  });

  test("in a cluster where this stack's namespaces hold something is refused", () => {
    expect(() => planRestore(situation({ occupied: ["s-ctlog"] }))).toThrow(
      /hold something already \(s-ctlog\)/,
    );
  });

  test.each([
    ["fewer entries than were recorded", checkpoint(4)],
    ["another root under the same number of entries", checkpoint(5, "b")],
  ])("with a dump of %s is refused, and says how to go on", (_, dumped) => {
    expect(() => planRestore(situation({ dumped }))).toThrow(
      /ctlog-1: the backup has .* recorded are 5 .*\n.*\n?[^]*ctLog: \{ "1": closed, "2": active \}/,
    );
  });
});

describe("what the database must have", () => {
  const mark = (name: string, size: number): Mark => ({
    ...{ name, treeId: "4711", size },
    rootHash: root("c"),
  });

  test("is asked for in one query", () => {
    expect(marksQuery([mark("a", 1), mark("b", 2)])).toBe(
      "SELECT DISTINCT TreeId, TreeSize, LOWER(HEX(RootHash)) FROM TreeHead WHERE " +
        `(TreeId = 4711 AND TreeSize = 1 AND RootHash = X'${root("c")}') OR ` +
        `(TreeId = 4711 AND TreeSize = 2 AND RootHash = X'${root("c")}')`,
    );
    expect(marksQuery([])).toMatch(/WHERE FALSE$/);
  });

  test("is all of it, or nothing is loaded", () => {
    const rows = [`4711\t1\t${root("c")}`];
    expect(() => assertAll([mark("a", 1)], rows, "dump")).not.toThrow();
    expect(() => assertAll([mark("a", 1), mark("b", 2)], rows, "dump")).toThrow(
      /The dump has never been where .*: b \(2 entries, root cccccccccccc\)\..*nothing was loaded/,
    );
  });
});
