import { describe, expect, test } from "vitest";
import { LocalError } from "../../../../local/errors.ts";
import { climb, type Climb, type Rung } from "../../../../local/ladder/climb.ts";
import type { RungOf } from "../../../../local/ladder/rungs.ts";

type Pulumi = RungOf<"pulumi">;

/** Rungs that are there, or not, and notes who was looked at. */
function ladderOf(there: Partial<Record<Pulumi, boolean>>) {
  const looked: string[] = [];
  const rungs = (["path", "download", "build"] as const).map((rung): Rung<"pulumi"> => ({
    rung,
    remedy: `Bring ${rung}.`,
    look: (isPatient) => {
      looked.push(isPatient ? `${rung}, with patience` : rung);
      return Promise.resolve(there[rung] ? { what: `the ${rung}` } : { why: `no ${rung}` });
    },
  }));
  const take = (more: Partial<Climb<"pulumi">> = {}) =>
    climb({ need: "pulumi", title: "Pulumi", rungs, ...more });
  return { looked, take };
}

describe("without a wish", () => {
  test("the first that is there is taken, and the line says why not a better one", async () => {
    const { take } = ladderOf({ download: true, build: true });
    expect(await take()).toEqual({
      rung: "download",
      line: "Pulumi: the download (no path)",
    });
    expect((await ladderOf({ path: true }).take()).line).toBe("Pulumi: the path");
  });

  test("none at all is an error with every reason", async () => {
    await expect(ladderOf({}).take()).rejects.toThrow(
      "Pulumi: no path; no download; no build. Bring path. Nothing was changed.",
    );
  });
});

describe("what is asked for", () => {
  test("is taken though a better one is there, and nothing else is looked at", async () => {
    const { take, looked } = ladderOf({ path: true, build: true });
    expect(await take({ wanted: "build", before: "path" })).toEqual({
      rung: "build",
      line: "Pulumi: the build, as asked",
    });
    expect(looked).toEqual(["build, with patience"]);
  });

  test("is an error when it is not there: the reason, the remedy, the switch", async () => {
    const { take } = ladderOf({ build: true });
    const refused = take({ wanted: "path" });
    await expect(refused).rejects.toThrow(LocalError);
    await expect(refused).rejects.toThrow(
      "--pulumi path: no path. Bring path. Or leave out --pulumi; nothing was changed.",
    );
  });

  test("is an error when a stack is bound to another", async () => {
    const { take, looked } = ladderOf({ path: true, build: true });
    await expect(take({ wanted: "path", before: "build", bound: "It stays." })).rejects.toThrow(
      "--pulumi path: It stays.",
    );
    expect(looked).toEqual([]);
  });
});

describe("what was taken before", () => {
  test("is taken again though a better one has come", async () => {
    const { take, looked } = ladderOf({ path: true, build: true });
    expect((await take({ before: "build" })).line).toBe("Pulumi: the build, as before");
    expect(looked).toEqual(["build"]);
  });

  test("gives way when it has gone, unless the stack is bound to it", async () => {
    const { take } = ladderOf({ build: true });
    expect((await take({ before: "path" })).rung).toBe("build");
    await expect(take({ before: "path", bound: "It stays." })).rejects.toThrow(
      "Pulumi: no path. It stays. Bring path.",
    );
  });
});
