import { describe, expect, test } from "vitest";
import { configWith, refusal } from "../support/config.ts";

const shared = { size: "5Gi", storageClass: "nfs", accessMode: "ReadWriteMany" };

describe("anchorhold:searchIndex", () => {
  test("is in memory if nothing is said", () => expect(configWith().searchIndex).toBe("memory"));

  test.each([
    ["none", "none"],
    ["a volume", { size: "1Gi" }],
    ["Redis elsewhere", { external: { host: "redis.corp.test", port: 6380, tls: true } }],
  ])("may be %s", (_what, searchIndex) => {
    expect(configWith({ searchIndex }).searchIndex).toEqual(searchIndex);
  });

  const at = "anchorhold:searchIndex";
  test.each([
    ["another word", "disk", `${at}: must be memory or none, or say more`],
    ["a size that is none", { size: "1" }, `${at}.size: must be a Kubernetes quantity`],
    ["a URL", { external: { host: "redis://r" } }, `${at}.external.host: must be a host name`],
    [
      "a password",
      { external: { host: "redis.corp.test", password: "not-shown" } },
      `${at}.external.password: cannot be given: Rekor takes Redis' password on its command line`,
    ],
  ])("refuses %s and names its place", (_what, searchIndex, expected) => {
    expect(refusal({ searchIndex })).toContain(expected);
    expect(refusal({ searchIndex })).not.toContain("not-shown");
  });
});

describe("anchorhold:attestations", () => {
  test("are not kept if nothing is said", () => expect(configWith().attestations).toBe("none"));

  test.each([
    ["on a volume that all pods share", shared],
    ["in a bucket", { bucket: "s3://attestations?region=eu-central-1" }],
    ["in a bucket of Google's", { bucket: "gs://attestations" }],
  ])("may be %s", (_what, attestations) => {
    expect(configWith({ attestations }).attestations).toEqual(attestations);
  });

  test("on a volume of one pod's belong to one pod", () => {
    const attestations = { size: "5Gi" };
    const rule =
      "anchorhold:attestations.accessMode: 2 pods of Rekor (anchorhold:replicas.rekor) write to one " +
      "volume: set ReadWriteMany";
    expect(refusal({ attestations })).toContain(rule);
    expect(configWith({ attestations, replicas: { rekor: 1 } }).attestations).toEqual({
      size: "5Gi",
      accessMode: "ReadWriteOnce",
    });
  });

  const at = "anchorhold:attestations";
  test.each([
    ["another word", "memory", `${at}: must be none, or say more`],
    ["a folder", { bucket: "file:///var/run/attestations" }, `${at}.bucket: must be a bucket such`],
    ["a key", { bucket: "s3://a?access_key=x" }, `${at}.bucket: must have no secret`],
    ["an access mode that is none", { ...shared, accessMode: "All" }, `${at}.accessMode: Invalid`],
    ["both", { ...shared, bucket: "gs://attestations" }, `${at}: unknown keys size`],
  ])("refuse %s and name its place", (_what, attestations, expected) => {
    expect(refusal({ attestations })).toContain(expected);
  });
});
