import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Publication } from "../../../infra/trust/stamps.ts";
import { nextVersion } from "../../../infra/trust/tuf/renewal.ts";

const day = 86_400_000;
const life = { targets: 3650, snapshot: 30 };
const revision = "a".repeat(64);
const signedAt = Date.parse("2026-01-01T00:00:00Z");
const publication = (version: number): Publication => ({
  version,
  revision,
  signed: "2026-01-01T00:00:00Z",
  expires: new Date(signedAt + 30 * day).toISOString(),
  documents: [],
  targets: "",
  snapshot: "",
});
const last = [publication(3), publication(4)];

describe("the version of the TUF repository", () => {
  test("begins with 1", () => {
    expect(nextVersion([], revision, life, new Date())).toBe(1);
    expect(nextVersion([], undefined, life, new Date())).toBe(1);
  });

  test("stays until two thirds of the shortest life are over", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 29.9, noNaN: true }), (age) => {
        const now = new Date(signedAt + age * day);
        expect(nextVersion(last, revision, life, now)).toBe(age > 20 ? 5 : 4);
      }),
    );
  });

  test("grows by one for other documents, and for those that are not known yet", () => {
    const now = new Date(signedAt);
    expect(nextVersion(last, "b".repeat(64), life, now)).toBe(5);
    expect(nextVersion(last, undefined, life, now)).toBe(5);
  });
});
