import { describe, expect, test } from "vitest";
import { probeEvery } from "../../../infra/config/probe.ts";
import { configWith, refusal } from "../../support/config.ts";

const people = [{ issuer: "https://login.corp.test", clientId: "sigstore", type: "email" }];

describe("anchorhold:probe", () => {
  test("is every two minutes where the cluster is an issuer, and nothing where it is not", () => {
    expect(probeEvery(configWith())).toBe(120);
    expect(probeEvery(configWith({ probe: { every: "30s" } }))).toBe(30);
    expect(probeEvery(configWith({ probe: {} }))).toBe(120);
    expect(probeEvery(configWith({ probe: "none" }))).toBeUndefined();
    expect(probeEvery(configWith({ issuers: people }))).toBeUndefined();
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["too often", { probe: { every: "1s" } }, "anchorhold:probe.every: must be between 5s and 1h"],
    ["too seldom", { probe: { every: "2h" } }, "anchorhold:probe.every: must be between 5s and 1h"],
    ["no time", { probe: { every: "often" } }, "anchorhold:probe.every: must be a duration"],
    [
      "another word",
      { probe: "off" },
      "anchorhold:probe: must be none, or say more: docs/alerts.md",
    ],
    [
      "no tokens to sign with",
      { probe: { every: "1m" }, issuers: people },
      "anchorhold:probe: the probe signs with the cluster's own tokens",
    ],
    [
      "another operator",
      { monitoring: "datadog" },
      "anchorhold:monitoring: must be auto, none or prometheus-operator",
    ],
    [
      "nothing to watch",
      { monitoring: "prometheus-operator", probe: "none" },
      "anchorhold:monitoring: there is nothing to watch without a probe",
    ],
  ])("%s is refused", (_, changes, message) => {
    expect(refusal(changes)).toContain(message);
  });
});
