import { SigningConfig, TrustedRoot } from "@sigstore/protobuf-specs";
import { toTrustMaterial } from "@sigstore/verify";
import { beforeAll, describe, expect, test } from "vitest";
import { legacyTargets } from "../../../infra/trust/legacyTargets.ts";
import { signingConfig } from "../../../infra/trust/signingConfig.ts";
import type { TrustRecords } from "../../../infra/trust/trustedRoot.ts";
import { trustedRoot } from "../../../infra/trust/trustedRoot.ts";
import { startOf, subject, trustRecords } from "./fixture.ts";

let records: TrustRecords;
beforeAll(async () => {
  records = await trustRecords(2);
});

/** Every key of a JSON value, with the path to it; list positions are left out. */
function fieldsOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => fieldsOf(item, path));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    `${path}${key}`,
    ...fieldsOf(inner, `${path}${key}.`),
  ]);
}

describe("trusted_root.json", () => {
  test("is what sigstore-js reads and builds its trust material from", () => {
    const material = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(trustedRoot(records))));
    expect(material.tlogs.map((log) => log.baseURL)).toEqual(records.rekor.map((r) => r.baseUrl));
    const ids = material.ctlogs.map((log) => log.logID.toString("base64"));
    expect(ids).toEqual(records.ctLog.map((record) => record.logId));
    expect(material.certificateAuthorities).toHaveLength(2);
    expect(material.timestampAuthorities.map((tsa) => tsa.certChain.length)).toEqual([2, 2]);
    expect(material.timestampAuthorities[0]?.validFor.start).toEqual(new Date(startOf(1)));
  });

  test("has the old media type and every field of v0.1, and no other", () => {
    const json = JSON.parse(trustedRoot(records)) as { mediaType: string };
    expect(json.mediaType).toBe("application/vnd.dev.sigstore.trustedroot+json;version=0.1");
    const log = [
      ...["baseUrl", "hashAlgorithm", "publicKey", "publicKey.rawBytes", "publicKey.keyDetails"],
      ...["publicKey.validFor", "publicKey.validFor.start", "logId", "logId.keyId"],
    ];
    const authority = [
      ...["subject", "subject.organization", "subject.commonName", "uri", "certChain"],
      ...["certChain.certificates", "certChain.certificates.rawBytes"],
      ...["validFor", "validFor.start"],
    ];
    const under = (name: string, fields: string[]) => [name, ...fields.map((f) => `${name}.${f}`)];
    expect(new Set(fieldsOf(json))).toEqual(
      new Set([
        "mediaType",
        ...under("tlogs", log),
        ...under("ctlogs", log),
        ...under("certificateAuthorities", authority),
        ...under("timestampAuthorities", authority),
      ]),
    );
  });

  test("starts every window at the recorded second, the oldest first in whatever order", () => {
    const reversed = {
      fulcioCa: records.fulcioCa.toReversed(),
      ctLog: records.ctLog.toReversed(),
      rekor: records.rekor.toReversed(),
      tsa: records.tsa.toReversed(),
    };
    expect(trustedRoot(reversed)).toBe(trustedRoot(records));
    const starts = trustedRoot(records).match(/"start": "[^"]*"/g);
    expect(starts).toEqual(
      Array(4)
        .fill([1, 2].map((n) => `"start": "${startOf(n)}"`))
        .flat(),
    );
  });

  test("ends the window of what was closed, and of nothing else", () => {
    const end = "2026-02-03T04:05:06Z";
    const closed = <R extends { generation: number }>(all: readonly R[]) =>
      all.map((one) => (one.generation === 1 ? { ...one, end } : one));
    const text = trustedRoot({
      ...records,
      fulcioCa: closed(records.fulcioCa),
      ctLog: closed(records.ctLog),
    });
    const json = TrustedRoot.fromJSON(JSON.parse(text));
    const ends = [json.certificateAuthorities.map(({ validFor }) => validFor?.end)];
    ends.push(json.ctlogs.map(({ publicKey }) => publicKey?.validFor?.end));
    expect(ends).toEqual(Array(2).fill([new Date(end), undefined]));
    expect(text.match(/"end"/g)).toHaveLength(2);
    expect(text).toContain(`"end": "${end}"`);
  });

  test("names both parts of the subject, and keeps empty lists", () => {
    const json = JSON.parse(trustedRoot({ ...records, rekor: [] })) as TrustedRoot;
    expect(json.tlogs).toEqual([]);
    expect(json.certificateAuthorities[0]?.subject).toEqual(subject);
    expect(json.timestampAuthorities[0]?.subject).toEqual(subject);
  });

  test("refuses a record whose log id is not its key's", () => {
    const [first, second] = records.rekor;
    if (!first || !second) throw new Error("the fixture has two");
    const rekor = [{ ...first, logId: second.logId }];
    expect(() => trustedRoot({ ...records, rekor })).toThrow(/log id that is not its key's/);
  });
});

describe("signing_config.v0.2.json", () => {
  const config = signingConfig({
    fulcio: "http://fulcio.example.test/",
    oidcIssuer: "https://issuer.example.test",
    rekor: { url: "http://rekor-1.example.test", start: startOf(1) },
    tsa: { url: "http://tsa.example.test", start: startOf(2) },
    start: startOf(1),
    operator: "example",
  });

  test("has one service of each kind, in the form that protobuf-specs reads", () => {
    const parsed = SigningConfig.fromJSON(JSON.parse(config));
    const services = [parsed.caUrls, parsed.oidcUrls, parsed.rekorTlogUrls, parsed.tsaUrls];
    expect(services.map((list) => list.map((service) => service.url))).toEqual([
      ["http://fulcio.example.test"],
      ["https://issuer.example.test"],
      ["http://rekor-1.example.test"],
      ["http://tsa.example.test/api/v1/timestamp"],
    ]);
    for (const service of services.flat()) {
      expect(service).toMatchObject({ majorApiVersion: 1, operator: "example" });
      expect(service.validFor?.end).toBeUndefined();
    }
    expect(parsed.tsaUrls[0]?.validFor?.start).toEqual(new Date(startOf(2)));
  });

  test("selects any, and dates with whole seconds", () => {
    expect(JSON.parse(config)).toMatchObject({
      mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
      rekorTlogConfig: { selector: "ANY" },
      tsaConfig: { selector: "ANY" },
      caUrls: [{ validFor: { start: startOf(1) } }],
    });
  });
});

describe("the legacy targets", () => {
  test("say what is closed, and leave out what is distrusted", () => {
    const [first, second] = records.ctLog;
    if (!first || !second) throw new Error("the fixture has two");
    const end = "2026-02-03T04:05:06Z";
    const of = (...ctLog: TrustRecords["ctLog"]) =>
      legacyTargets({ fulcioCa: [], ctLog, rekor: [], tsa: [] }).map(({ name, custom }) => [
        name,
        custom?.sigstore.status,
      ]);
    expect(of({ ...first, end }, second)).toEqual([
      ["ctfe.pub", "Expired"],
      ["ctfe_2.pub", "Active"],
    ]);
    expect(of({ ...first, end, distrusted: true }, second)).toEqual([["ctfe_2.pub", "Active"]]);
  });

  test("carry the public instance's names in generation 1, and their own after it", () => {
    expect(legacyTargets(records).map((file) => file.name)).toEqual([
      ...["fulcio_v1.crt.pem", "fulcio_v2.crt.pem"],
      ...["rekor.pub", "rekor_2.pub", "ctfe.pub", "ctfe_2.pub"],
      ...["tsa_leaf.crt.pem", "tsa_root.crt.pem", "tsa_leaf_2.crt.pem", "tsa_root_2.crt.pem"],
    ]);
  });

  test("say what they are for, and hold the records' own PEM", () => {
    const byName = new Map(legacyTargets(records).map((file) => [file.name, file]));
    const custom = (usage: string, uri: string) => ({ sigstore: { usage, status: "Active", uri } });
    expect(byName.get("rekor.pub")).toEqual({
      name: "rekor.pub",
      content: records.rekor[0]?.publicKeyPem,
      custom: custom("Rekor", "http://rekor-1.example.test"),
    });
    expect(byName.get("ctfe_2.pub")?.custom).toEqual(
      custom("CTFE", "http://ctlog.example.test/ct-2"),
    );
    expect(byName.get("fulcio_v1.crt.pem")?.content).toBe(records.fulcioCa[0]?.chain[0]);
    expect(byName.get("tsa_root_2.crt.pem")?.content).toBe(records.tsa[1]?.chain[1]);
  });

  test("split a longer chain into root and intermediates", async () => {
    const [ca] = records.fulcioCa;
    const [tsa] = records.tsa;
    if (!ca || !tsa) throw new Error("the fixture has one");
    const longer = {
      ...(await trustRecords(1)),
      fulcioCa: [{ ...ca, chain: [...ca.chain, ...ca.chain] }],
      tsa: [{ ...tsa, chain: [...tsa.chain, ...ca.chain] }],
    };
    expect(legacyTargets(longer).map((file) => file.name)).toEqual([
      ...["fulcio_intermediate_v1.crt.pem", "fulcio_v1.crt.pem", "rekor.pub", "ctfe.pub"],
      ...["tsa_leaf.crt.pem", "tsa_intermediate_0.crt.pem", "tsa_root.crt.pem"],
    ]);
  });
});
