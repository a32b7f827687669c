// The faults of test/support/faults, done to the running stack: one in each of its parts at a time,
// by somebody with kubectl. All of them alone and in pairs: test/engine/doctor.test.ts.
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { faults, type Fault } from "../support/faults/index.ts";
import { doctor } from "./support/doctor.ts";
import { FaultyCluster } from "./support/faultyCluster.ts";
import { verifyLocal, describeStack } from "./support/stack.ts";

/** Rounds in which each part of the stack has at most one fault; what only people mend is left out. */
function rounds(): Fault[][] {
  const byPart = new Map<string, Fault[]>();
  for (const fault of faults)
    if (fault.mender !== "people" && fault.expects !== "missing-namespace")
      byPart.set(fault.part, [...(byPart.get(fault.part) ?? []), fault]);
  const most = Math.max(...[...byPart.values()].map(({ length }) => length));
  return Array.from({ length: most }, (_, round) =>
    [...byPart.values()].flatMap((ofPart) => ofPart[round] ?? []),
  );
}

await describeStack("doctor on a running stack", ({ outputs }) => {
  let cluster: FaultyCluster;

  beforeAll(() => {
    const config = new KubeConfig();
    config.loadFromDefault();
    cluster = new FaultyCluster(config);
  });

  afterAll(() => cluster.tidy());

  test("finds nothing while nothing is wrong", async () => {
    expect(await doctor()).toMatchObject({ code: 0, faults: [] });
  });

  describe("names what was done, mends it, and then finds nothing:", () => {
    test.each(rounds().map((round) => [round.map(({ name }) => name).join("; "), round] as const))(
      "%s",
      async (_, round) => {
        for (const fault of round) await fault.inject({ cluster, outputs });
        const found = await doctor();
        const ids = found.faults.map(({ id }) => id);
        expect(ids).toEqual(expect.arrayContaining(round.map(({ expects }) => expects)));
        expect(found.code).toBe(1);
        const mended = await doctor("--fix");
        expect(mended).toMatchObject({ code: 0, faults: [], refused: [] });
        expect(await doctor("--fix")).toMatchObject({ code: 0, done: [], refused: [] });
      },
    );
  });

  test("afterwards all is as anchorhold verify wants it", async () => {
    const { code, stdout } = await verifyLocal();
    expect(code, stdout).toBe(0);
  });
});
