import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { certificateWarnDays, warnDays } from "../../../infra/observe/horizon.ts";
import { makeFulcioCa } from "../../../infra/trust/certificates.ts";
import { horizonProblems, horizons } from "../../../policies/rules/horizons.ts";
import { unknown, type Plain } from "../../../policies/plain.ts";

const at = (time: string) => new Date(`${time}T00:00:00Z`);
const days = { certificateDays: 90, rootDays: 30, metadataDays: 7 };
const one = { "1": { state: "active", source: "generated" } } as const;
const trust = { fulcioCa: one, ctLog: one, rekor: one, tsa: one, tufRoot: one, tufOnline: one };
const tufLife = { root: 3650, targets: 3650, snapshot: 3650 };

/** Ends on 2036-03-01. */
let chain: string[];

beforeAll(async () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  chain = await makeFulcioCa({
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    subject: { organization: "o", commonName: "c" },
    notBefore: at("2026-03-01"),
    years: 10,
  });
});

const stash = (name: string, output: Plain) => ({
  type: "pulumi:index:Stash",
  name,
  stack: "production",
  props: { output },
  opts: { protect: true, ignoreChanges: [] },
});

/** The records of a stack whose certificates and metadata end in 2036. */
function records(changes: Record<string, Plain> = {}) {
  const all: Record<string, Plain> = {
    "fulcio-ca-1-public": { chain },
    "tsa-1-public": { chain },
    "tuf-root-1-json": JSON.stringify({ signed: { expires: "2036-03-01T00:00:00Z" } }),
    "tuf-publication-1": { expires: "2026-01-01T00:00:00Z" },
    "tuf-publication-10": { expires: "2036-03-01T00:00:00Z" },
    "tuf-publication-9": { expires: "2026-01-01T00:00:00Z" },
    ...changes,
  };
  return Object.entries(all).map(([name, output]) => stash(name, output));
}

function check(
  resources: ReturnType<typeof records>,
  now: string,
  stack: Partial<Parameters<typeof horizonProblems>[1]> = {},
) {
  return horizonProblems(resources, { trust, tufLife, ...stack }, { ...days, now: at(now) });
}

describe("horizons", () => {
  test("far from every end", () => {
    expect(check(records(), "2026-03-02")).toEqual([]);
  });

  test("each end has a horizon of its own", () => {
    const certificates = ["fulcioCa", "tsa"].map(
      (kind) => `${kind} 1: a certificate ends in fewer than 90 days`,
    );
    expect(check(records(), "2035-12-01")).toEqual([]);
    expect(check(records(), "2035-12-03")).toEqual(certificates);
    expect(check(records(), "2036-02-01")).toEqual([
      ...certificates,
      "TUF's root ends in fewer than 30 days",
    ]);
    expect(check(records(), "2036-02-24")).toEqual([
      ...certificates,
      "TUF's root ends in fewer than 30 days",
      "TUF's targets or snapshot end in fewer than 7 days",
    ]);
  });

  test("the update that announces the next generation is let through", () => {
    const fulcioCa = { ...one, "2": { state: "announced", source: "generated" } } as const;
    expect(check(records(), "2035-12-03", { trust: { ...trust, fulcioCa } })).toEqual([
      "tsa 1: a certificate ends in fewer than 90 days",
    ]);
  });

  test("a generation that is no longer used may end", () => {
    const fulcioCa = {
      "1": { state: "active", source: "generated" },
      "2": { state: "distrusted", from: "2026-01-01T00:00:00Z", source: "generated" },
    } as const;
    expect(
      check(records({ "fulcio-ca-2-public": { chain: ["none"] } }), "2026-03-02", {
        trust: { ...trust, fulcioCa },
      }),
    ).toEqual([]);
  });

  test("what the update makes now is judged by how long it will live", () => {
    const later = Object.fromEntries(records().map(({ name }) => [name, unknown]));
    expect(check(records(later), "2026-03-02")).toEqual([]);
    const short = { root: 29, targets: 20, snapshot: 21 };
    expect(check(records(later), "2026-03-02", { tufLife: short })).toEqual([
      "anchorhold:tufLife.root is less than 30 days",
      "anchorhold:tufLife.targets is less than three times 7 days",
    ]);
  });

  test("a record that is missing or cannot be read has ended", () => {
    expect(check([], "2026-03-02")).toHaveLength(4);
    const spoiled = { "tsa-1-public": { chain: ["x"] }, "tuf-root-1-json": "{" };
    expect(check(records(spoiled), "2026-03-02")).toEqual([
      "tsa 1: a certificate ends in fewer than 90 days",
      "TUF's root ends in fewer than 30 days",
    ]);
    expect(check(records({ "tsa-1-public": { chain: [] } }), "2026-03-02")).toHaveLength(1);
  });

  test("the defaults are those of doctor and verify", () => {
    const { certificateDays, rootDays, metadataDays } = horizons.configSchema!.properties;
    expect(certificateDays!.default).toBe(certificateWarnDays);
    expect(rootDays!.default).toBe(warnDays.root);
    expect([warnDays.targets, warnDays.snapshot]).toEqual([
      metadataDays!.default,
      metadataDays!.default,
    ]);
  });
});
