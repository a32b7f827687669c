import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Board } from "../../../infra/platform/prober/program/metrics.ts";
import { Gone, Skipped, type Outcome } from "../../../infra/platform/prober/program/outcome.ts";
import { attempt, post } from "../../../infra/platform/prober/program/round.ts";
import { isHealthy } from "../../../infra/platform/prober/program/server.ts";
import { parseMetrics } from "../../support/recording.ts";

describe("a check", () => {
  test.each<[Outcome["result"], () => void]>([
    ["passed", () => undefined],
    ["skipped", () => fail(new Skipped("no signature"))],
    ["gone", () => fail(new Gone("closed"))],
    ["failed", () => fail(new Error("HTTP 500"))],
  ])("%s", async (result, work) => {
    expect(await attempt("tsa", work)).toMatchObject({ check: "tsa", result });
  });

  test("fails when it takes too long, with the reason on one line", async () => {
    const outcome = await attempt("tsa", () => sleep(5_000, undefined, { ref: false }), 20);
    expect(outcome).toMatchObject({ result: "failed", reason: "no answer within 0.02 s" });
    const cause = new Error("connect ECONNREFUSED");
    const refused = await attempt("tsa", () => fail(new Error("GET http://tsa", { cause })));
    expect(refused.reason).toBe("GET http://tsa: connect ECONNREFUSED");
  });
});

function fail(error: Error): never {
  throw error;
}

const outcome = (check: string, result: Outcome["result"]): Outcome => ({
  ...{ check, result, seconds: 0.25 },
});
const at = (seconds: number) => new Date(seconds * 1000);

describe("the board", () => {
  test("counts failed rounds in a row, and forgets them at the first that passes", () => {
    const board = new Board({ stack: "s" });
    const failed = () => board.get("anchorhold_probe_failed_rounds", { check: "tsa" });
    const seen = (["failed", "failed", "skipped", "failed", "passed"] as const).map((result) => {
      post(board, [outcome("tsa", result)], at(100));
      return failed();
    });
    expect(seen).toEqual([1, 2, 2, 3, 0]);
    expect(board.get("anchorhold_probe_rounds_total")).toBe(5);
  });

  test("shows what a log had only as long as there is one", () => {
    const board = new Board({ stack: "s" });
    board.set("anchorhold_log_entries", 7, { log: "ctlog-1" });
    post(board, [outcome("ctlog-1", "passed"), outcome("tsa", "passed")], at(100));
    expect(board.render()).toContain("ctlog-1");
    post(board, [outcome("ctlog-1", "gone"), outcome("tsa", "passed")], at(160));
    expect(board.render()).not.toContain("ctlog-1");
    expect(board.render()).toContain('check="tsa"');
  });

  test("is read by Prometheus: text format, labels escaped", () => {
    const board = new Board({ stack: 'a"b\\c\nd' });
    board.set("anchorhold_tuf_version", 3, { role: "root" });
    expect(board.render()).toBe(
      "# HELP anchorhold_tuf_version Version of the served metadata.\n" +
        "# TYPE anchorhold_tuf_version gauge\n" +
        'anchorhold_tuf_version{stack="a\\"b\\\\c\\nd",role="root"} 3\n',
    );
    expect([...parseMetrics(board.render()).values()]).toEqual([3]);
  });

  test("takes no other labels than a metric has", () => {
    const board = new Board({});
    expect(() => board.set("anchorhold_tuf_version", 1, { log: "x" })).toThrow(/labels role/);
  });
});

test("the probe is healthy as long as rounds end, whatever they find", () => {
  const board = new Board({});
  const healthy = (seconds: number) => isHealthy(board, 60, at(0), at(seconds));
  expect([healthy(299), healthy(301)]).toEqual([true, false]);
  post(board, [outcome("tsa", "failed")], at(1000));
  expect([healthy(1299), healthy(1301)]).toEqual([true, false]);
});
