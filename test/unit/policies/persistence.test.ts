import { describe, expect, test } from "vitest";
import { dataPersistent } from "../../../policies/rules/persistence.ts";
import { violations } from "./support.ts";

interface Pod {
  volume?: object;
  mountPath?: string;
  args?: string[];
}

/** A Deployment whose one volume is on a claim, unless told otherwise. */
function deployment(name: string, { volume, mountPath = "/data", args = [] }: Pod) {
  const claim = { persistentVolumeClaim: { claimName: "claim" } };
  const spec = {
    containers: [{ name: "one", args, volumeMounts: [{ name: "data", mountPath }] }],
    volumes: [{ name: "data", ...(volume ?? claim) }],
  };
  const props = { metadata: { name, namespace: "n" }, spec: { template: { spec } } };
  return { type: "kubernetes:apps/v1:Deployment", props };
}

const lost = { volume: { emptyDir: {} } };

describe("data-persistent", () => {
  const check = (name: string, pod: Pod, options = {}) =>
    violations(dataPersistent, deployment(name, pod), options);

  test.each(["trillian-mysql", "rekor-1-redis", "rekor-12-redis"])("%s", async (name) => {
    const refused = [`apps/v1 Deployment n/${name} mounts no persistent volume claim`];
    expect(await check(name, {})).toEqual([]);
    expect(await check(name, lost)).toEqual(refused);
    // A claim that no container mounts.
    const given = deployment(name, {});
    given.props.spec.template.spec.containers[0]!.volumeMounts = [];
    expect(await violations(dataPersistent, given)).toEqual(refused);
  });

  test("a local stack may lose the search index, and nothing else", async () => {
    const local = { stack: "local" };
    expect(await check("rekor-1-redis", lost, local)).toEqual([]);
    expect(await check("trillian-mysql", lost, local)).toHaveLength(1);
  });

  test("any other workload is left alone, unless the rule names it", async () => {
    expect(await check("fulcio-server", lost)).toEqual([]);
    const config = { workloads: ["fulcio-server"] };
    expect(await check("fulcio-server", lost, { config })).toHaveLength(1);
  });
});

describe("attestations", () => {
  const check = (buckets: string[], pod: Pod = { mountPath: "/var/run/attestations" }) => {
    const flags = buckets.map((bucket) => `--attestation_storage_bucket=${bucket}`);
    const args = ["serve", "--enable_attestation_storage", ...flags];
    return violations(dataPersistent, deployment("rekor-1-server", { ...pod, args }));
  };
  const refused = [
    "apps/v1 Deployment n/rekor-1-server keeps attestations on no persistent volume claim",
  ];
  const here = "file:///var/run/attestations";

  test("on a claim, or in a bucket elsewhere", async () => {
    expect(await check([here])).toEqual([]);
    expect(await check([here, `${here}?no_tmp_dir=true`])).toEqual([]);
    expect(await check([`${here}/below`])).toEqual([]);
    expect(await check(["s3://attestations?region=eu-central-1"], lost)).toEqual([]);
  });

  test("a claim that is mounted elsewhere does not keep them: the chart's default", async () => {
    expect(await check([here], { mountPath: "/var/lib/mysql" })).toEqual(refused);
    expect(await check([`${here}-others`])).toEqual(refused);
  });

  test("nor does an empty folder, memory, or a bucket that is not named", async () => {
    expect(await check([here], { ...lost, mountPath: "/var/run/attestations" })).toEqual(refused);
    for (const bucket of ["mem://", "file://"]) expect(await check([bucket])).toEqual(refused);
    expect(await check([])).toEqual(refused);
  });

  test("of two buckets the last one counts", async () => {
    expect(await check(["mem://", here])).toEqual([]);
    expect(await check([here, "mem://"])).toEqual(refused);
  });

  test("a server that keeps none has none to lose", async () => {
    expect(await violations(dataPersistent, deployment("rekor-1-server", lost))).toEqual([]);
  });
});
