import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renewalsOf, versionOf } from "../../../infra/trust/tuf/renewal.ts";

const day = 86_400_000;
const life = { targets: 3650, snapshot: 30, timestamp: 30 };
const revision = "a".repeat(64);
const signedAt = Date.parse("2026-01-01T00:00:00Z");
const state = {
  version: 4,
  revision,
  renewals: 2,
  expires: new Date(signedAt + 30 * day).toISOString(),
};

describe("when TUF metadata is signed anew", () => {
  test("not before two thirds of the shortest life are over", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 29.9, noNaN: true }), (age) => {
        const renewals = renewalsOf(state, life, new Date(signedAt + age * day));
        expect(renewals).toBe(age > 20 ? 3 : 2);
      }),
    );
  });

  test("the first signing is version 1, without a renewal", () => {
    expect(renewalsOf(undefined, life, new Date())).toBe(0);
    expect(versionOf(undefined, { revision, renewals: 0 })).toBe(1);
  });

  test("the version grows by one exactly when something is signed", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), (isNewRevision, isRenewal) => {
        const next = {
          revision: isNewRevision ? "b".repeat(64) : revision,
          renewals: isRenewal ? 3 : 2,
        };
        expect(versionOf(state, next)).toBe(isNewRevision || isRenewal ? 5 : 4);
      }),
    );
  });
});
