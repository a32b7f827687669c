import { describe, expect, test } from "vitest";
import { CannotRun, oneLine } from "../../../cli/errors.ts";
import type { Check, Context, Finding } from "../../../cli/verify/finding.ts";
import { runChecks } from "../../../cli/verify/index.ts";
import { summarize, toJson, toTable } from "../../../cli/verify/report.ts";

const findings: Finding[] = [
  { service: "fulcio", check: "issuers", result: "ok", seen: "one" },
  { service: "tuf", check: "expiry", result: "warn", seen: "1 d", expected: "2 d", hint: "renew" },
  { service: "rekor", check: "key", result: "fail", seen: "a", expected: "b", hint: "restore" },
];

describe("report", () => {
  test("the table has one line a check, and what to do below those that are not ok", () => {
    expect(toTable(findings)).toBe(
      [
        "ok    fulcio  issuers  one",
        "warn  tuf     expiry   1 d",
        "                       expected: 2 d",
        "                       to do:    renew",
        "FAIL  rekor   key      a",
        "                       expected: b",
        "                       to do:    restore",
        "",
        "NOT verified: 1 ok, 1 warning, 1 failed.",
      ].join("\n"),
    );
  });

  test("warnings do not fail the whole", () => {
    expect(summarize(findings.slice(0, 2))).toEqual({ passed: true, ok: 1, warn: 1, fail: 0 });
    expect(toTable(findings.slice(0, 1))).toMatch(/\nVerified: 1 ok, 0 warnings, 0 failed\.$/);
  });

  test("JSON is findings and a summary", () => {
    expect(JSON.parse(toJson(findings))).toEqual({
      findings,
      summary: { passed: false, ok: 1, warn: 1, fail: 1 },
    });
  });
});

describe("running checks", () => {
  const context = {} as Context;
  const check = (title: string, run: Check["run"], service: Check["service"] = "tuf"): Check => ({
    service,
    title,
    hint: `mend ${title}`,
    run,
  });

  test("one that throws or hangs stops no other, and the order stays", async () => {
    const result = await runChecks(
      [
        check(
          "hangs",
          ({ signal }) => new Promise((_, no) => signal.addEventListener("abort", no)),
        ),
        check("throws", () => Promise.reject(new Error("outer", { cause: new Error("inner") }))),
        check("passes", () => Promise.resolve({ result: "ok", seen: "all" })),
      ],
      context,
      50,
    );
    expect(result).toMatchObject([
      {
        check: "hangs",
        result: "fail",
        seen: "no answer within 0.05 s",
        hint: expect.stringMatching(/pods run/) as string,
      },
      { check: "throws", result: "fail", seen: "outer: inner", hint: "mend throws" },
      { check: "passes", result: "ok", seen: "all" },
    ]);
    expect(result[2]).not.toHaveProperty("hint");
  });

  test("signing runs before the rest", async () => {
    const order: string[] = [];
    const note = (title: string, service: Check["service"]) =>
      check(
        title,
        () => {
          order.push(title);
          return Promise.resolve({ result: "ok", seen: "" });
        },
        service,
      );
    await runChecks([note("key", "rekor"), note("sign", "signing")], context, 1000);
    expect(order).toEqual(["sign", "key"]);
  });
});

describe("errors in one line", () => {
  test.each([
    [new Error("a", { cause: new Error("b\n c") }), "a: b c"],
    [new Error("a: b", { cause: new Error("b") }), "a: b"],
    [new AggregateError([new Error("x"), new Error("y")], ""), "x, y"],
    [new CannotRun("give a file", { cause: new Error("ENOENT") }), "give a file"],
    [
      Object.assign(new Error("long"), { code: 404, body: '{"message":"pod \\"a\\" not found"}' }),
      '404 pod "a" not found',
    ],
    [
      new Error("HTTP-Code: 401 Message: Unauthorized Body: undefined Headers: {}"),
      "401 Unauthorized",
    ],
    ["text", "text"],
    [new Error(""), "unknown error"],
  ])("%s", (error, text) => {
    expect(oneLine(error)).toBe(text);
  });
});
