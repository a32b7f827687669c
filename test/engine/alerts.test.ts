// The alert rules, judged by Prometheus' own rule engine over what the probe would show.
import { beforeAll, describe, expect, test } from "vitest";
import { alertRules, ruleGroups } from "../../infra/platform/monitoring/rules.ts";
import { ensurePromtool, judge, type Expected } from "../support/promtool.ts";
import { afterRound, lifeWith, pace, stack, type Trouble } from "../support/probeLife.ts";

const start = new Date("2026-05-01T00:00:00Z");
const day = 86_400;
let promtool: string;

beforeAll(async () => {
  promtool = await ensurePromtool();
}, 1_200_000);

async function verdict(trouble: Trouble, rounds: number, expected: readonly Expected[]) {
  const recording = lifeWith(trouble, start, rounds);
  const { code, output } = await judge(
    promtool,
    ruleGroups(stack),
    { recording, start, every: pace.fetch },
    expected,
  );
  expect(code, output).toBe(0);
}

const expiry = "anchorhold_tuf_expiry_timestamp_seconds";
const needsSigning = ["verify", "search"];

/** What breaks, what the probe finds then, and what must fire. */
const outages: readonly [what: string, trouble: Trouble, firing: readonly string[]][] = [
  [
    "Fulcio",
    { failing: ["fulcio", "sign"], skipped: needsSigning },
    ["AnchorholdFulcioFails", "AnchorholdSigningFails"],
  ],
  [
    "Rekor",
    { failing: ["rekor-1", "sign"], skipped: needsSigning },
    ["AnchorholdRekorFails", "AnchorholdSigningFails"],
  ],
  [
    "the CT log",
    { failing: ["ctlog-1", "sign"], skipped: needsSigning },
    ["AnchorholdCtLogFails", "AnchorholdSigningFails"],
  ],
  [
    "the TSA",
    { failing: ["tsa", "sign"], skipped: needsSigning },
    ["AnchorholdTsaFails", "AnchorholdSigningFails"],
  ],
  ["the TUF mirror", { failing: ["tuf"] }, ["AnchorholdTufFails"]],
  [
    "the database",
    { failing: ["ctlog-1", "rekor-1", "sign"], skipped: needsSigning },
    [
      "AnchorholdCtLogFails",
      "AnchorholdLogBackendFails",
      "AnchorholdRekorFails",
      "AnchorholdSigningFails",
    ],
  ],
  ["Redis", { failing: ["search"] }, ["AnchorholdSearchFails"]],
  ["trust", { failing: ["verify"] }, ["AnchorholdVerificationFails"]],
  ["the probe's memory", { failing: ["memory"] }, ["AnchorholdProbeForgets"]],
];

/** What shows in one round, since no second one would tell more. */
const findings: readonly [what: string, trouble: Trouble, firing: readonly string[]][] = [
  [
    "a log that was rolled back",
    {
      failing: [],
      see: (board) => board.set("anchorhold_log_consistent", 0, { log: "rekor-1" }),
    },
    ["AnchorholdLogRolledBack"],
  ],
  [
    "a timestamp that has expired",
    { failing: [], see: (board, now) => board.set(expiry, now - 60, { role: "timestamp" }) },
    ["AnchorholdTimestampExpired", "AnchorholdTimestampNotRenewed"],
  ],
  [
    "a timestamp that was not renewed for five days",
    { see: (board, now) => board.set(expiry, now + 2 * day, { role: "timestamp" }) },
    ["AnchorholdTimestampNotRenewed"],
  ],
  [
    "a root that runs out",
    { see: (board, now) => board.set(expiry, now + 29 * day, { role: "root" }) },
    ["AnchorholdMetadataExpires"],
  ],
  [
    "a snapshot that runs out",
    { see: (board, now) => board.set(expiry, now + 6 * day, { role: "snapshot" }) },
    ["AnchorholdMetadataExpires"],
  ],
  [
    "a certificate that runs out",
    {
      see: (board, now) =>
        board.set("anchorhold_certificate_expiry_timestamp_seconds", now + 89 * day, {
          service: "tsa",
        }),
    },
    ["AnchorholdCertificateExpires"],
  ],
];

describe("fires at the second failed round, and not at the first:", () => {
  test.each(outages)("%s", async (_, trouble, firing) => {
    await verdict(trouble, 3, [
      { at: afterRound(0), firing: [] },
      { at: afterRound(1) + pace.round - 2 * pace.fetch, firing: [] },
      { at: afterRound(2), firing },
      { at: afterRound(3), firing },
    ]);
  });
});

describe("fires at the first round that shows it:", () => {
  test.each(findings)("%s", async (_, trouble, firing) => {
    await verdict(trouble, 2, [
      { at: afterRound(0), firing: [] },
      { at: afterRound(1), firing },
      { at: afterRound(2), firing },
    ]);
  });
});

describe("fires some minutes after", () => {
  test("the clocks have come apart", async () => {
    const see: Trouble["see"] = (board) => board.set("anchorhold_clock_skew_seconds", -61);
    await verdict({ see }, 8, [
      { at: afterRound(4), firing: [] },
      { at: afterRound(8), firing: ["AnchorholdClockOff"] },
    ]);
  });

  test("the probe has gone, or makes no rounds any more", async () => {
    await verdict({ silent: true }, 8, [
      { at: afterRound(4), firing: [] },
      { at: afterRound(8), firing: ["AnchorholdProbeSilent"] },
    ]);
    await verdict({ stuck: true }, 13, [
      { at: afterRound(8), firing: [] },
      { at: afterRound(13), firing: ["AnchorholdProbeSilent"] },
    ]);
  });
});

test("nothing fires over half an hour in which all is well", async () => {
  const minutes = 30;
  const expected = Array.from({ length: 4 * minutes }, (_, index) => ({
    at: index * pace.fetch,
    firing: [],
  }));
  await verdict({}, minutes, expected);
});

test("each alert is among those that these tests make fire", () => {
  const fired = new Set([
    ...[...outages, ...findings].flatMap(([, , firing]) => firing),
    "AnchorholdClockOff",
    "AnchorholdProbeSilent",
  ]);
  expect(alertRules(stack).map(({ alert }) => alert)).toEqual(expect.arrayContaining([...fired]));
  expect(fired.size).toBe(alertRules(stack).length);
});

test("a wrong expectation is found: the judge is no yes-man", async () => {
  const recording = lifeWith({}, start, 2);
  const at = { recording, start, every: pace.fetch };
  const { code } = await judge(promtool, ruleGroups(stack), at, [
    { at: 60, firing: ["AnchorholdFulcioFails"] },
  ]);
  expect(code).toBe(1);
});
