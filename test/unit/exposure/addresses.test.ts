import { describe, expect, test } from "vitest";
import { exposureSchema } from "../../../infra/config/exposure.ts";
import { addresses, rekorHostname, serviceExposures } from "../../../infra/platform/exposure.ts";
import { assertSameAddresses } from "../../../infra/platform/recordedAddresses.ts";
import { hosts } from "../../support/tlsSecret.ts";

const ports = { tuf: 31080, fulcio: 31081, tsa: 31082, ctLog: 31083, rekor: { "1": 31091 } };
const nodePorts = exposureSchema.parse({ type: "nodePort", host: "localhost", ports });
const ingress = exposureSchema.parse({ type: "ingress", hosts, tls: { secret: "some/tls" } });
const route = exposureSchema.parse({ type: "route", hosts });

describe("the addresses of an exposure", () => {
  test("on node ports are one host and a port each", () => {
    const at = addresses(nodePorts);
    expect([at.tuf, at.fulcio, at.tsa]).toEqual([
      "http://localhost:31080",
      "http://localhost:31081",
      "http://localhost:31082",
    ]);
    expect([at.ctLog(2), at.rekor(1)]).toEqual([
      "http://localhost:31083/ctlog-2",
      "http://localhost:31091",
    ]);
    expect(rekorHostname(nodePorts, 1)).toBe("localhost");
    expect(serviceExposures(nodePorts).rekor(1)).toEqual({ type: "nodePort", port: 31091 });
  });

  test.each([ingress, route])("behind $type are a host each, with TLS and no port", (exposure) => {
    const at = addresses(exposure);
    expect([at.tuf, at.fulcio, at.tsa, at.ctLog(2), at.rekor(1)]).toEqual([
      "https://tuf.example.com",
      "https://fulcio.example.com",
      "https://tsa.example.com",
      "https://ctlog.example.com/ctlog-2",
      "https://rekor-1.example.com",
    ]);
    expect(rekorHostname(exposure, 1)).toBe("rekor-1.example.com");
    const services = serviceExposures(exposure);
    expect([services.tuf, services.fulcio, services.rekor(1)]).toEqual(
      Array(3).fill({ type: "clusterIP" }),
    );
  });

  test("name no host for a Rekor generation that has none", () => {
    for (const exposure of [nodePorts, ingress])
      expect(() => addresses(exposure).rekor(2)).toThrow("generation 2 of rekor has no");
  });
});

describe("recorded addresses", () => {
  const at = addresses(ingress);
  const records = {
    rekor: { "1": { baseUrl: at.rekor(1), origin: "rekor-1.example.com" } },
    ctLog: { "1": { baseUrl: at.ctLog(1) }, "2": { baseUrl: at.ctLog(2) } },
    tsa: { "1": { uri: at.tsa } },
  };
  type Args = Parameters<typeof assertSameAddresses>;
  function check(exposure: typeof ingress, { gone = [] as number[], known = records } = {}): void {
    const kinds = Object.fromEntries(
      Object.entries(known).map(([kind, all]) => [kind, { records: all }]),
    ) as unknown as Args[0]["kinds"];
    const one = { exists: [1], keyless: [] };
    const plan = { rekor: one, tsa: one, ctLog: { exists: [1, 2], keyless: gone } };
    assertSameAddresses({ kinds }, plan as unknown as Args[1], addresses(exposure), (n) =>
      rekorHostname(exposure, n),
    );
  }
  const with_ = (changes: Partial<typeof hosts>) =>
    exposureSchema.parse({ type: "route", hosts: { ...hosts, ...changes } });

  test("that stay as they are, are fine; so are those of a new stack", () => {
    expect(() => check(ingress)).not.toThrow();
    expect(() => check(route)).not.toThrow();
    const known = { rekor: {}, ctLog: {}, tsa: {} } as unknown as typeof records;
    expect(() => check(nodePorts, { known })).not.toThrow();
  });

  test("Fulcio and the mirror may move", () => {
    const moved = { fulcio: "ca.example.org", tuf: "trust.example.org" };
    expect(() => check(with_(moved))).not.toThrow();
  });

  test.each([
    [
      "Rekor's",
      { rekor: { "1": "log.example.com" } },
      "generation 1 of rekor is recorded as https://rekor-1.example.com, anchorhold:exposure makes it " +
        "https://log.example.com",
    ],
    ["the TSA's", { tsa: "time.example.com" }, "generation 1 of tsa is recorded as"],
    ["the CT log's", { ctLog: "ct.example.com" }, "generation 2 of ctLog is recorded as"],
  ])("%s may not", (_whose, changes, expected) => {
    expect(() => check(with_(changes))).toThrow(/^This update is refused; nothing was changed/);
    expect(() => check(with_(changes))).toThrow(expected);
  });

  test("of a CT log whose key is gone do not matter", () => {
    expect(() => check(with_({ ctLog: "ct.example.com" }), { gone: [1, 2] })).not.toThrow();
  });

  test("include the name that Rekor signs with", () => {
    const rekor = { "1": { baseUrl: at.rekor(1), origin: "localhost" } };
    expect(() => check(ingress, { known: { ...records, rekor } })).toThrow(
      "generation 1 of rekor is recorded as localhost, anchorhold:exposure makes it rekor-1.example.com",
    );
  });
});
