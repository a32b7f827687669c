import { afterAll, beforeAll, expect, test } from "vitest";
import { diagnose } from "../../cli/doctor/diagnose/index.ts";
import { NodePorts, onCopy, snapshot } from "./support/scene.ts";
import { ProgramUnderTest } from "./support/stack.ts";

const data = {
  searchIndex: { size: "1Gi" },
  attestations: { size: "5Gi", storageClass: "nfs", accessMode: "ReadWriteMany" },
};
const namespace = "anchorhold-local-rekor-1";
const claim = (name: string) => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  name,
  namespace,
});

let program: ProgramUnderTest;
const ports = new NodePorts();

beforeAll(async () => {
  program = await ProgramUnderTest.create();
});
afterAll(async () => {
  ports.close();
  await program.close();
});

test("search index and attestations get a claim each, protected, and the pods use it", async () => {
  program.configure(data);
  (await program.engine.up("--policy-pack", "policies")).expectSuccess();
  const found = await Promise.all(
    ["rekor-1-search-index", "rekor-1-attestations"].map((name) =>
      program.engine.cluster.get(claim(name)),
    ),
  );
  expect(found).toMatchObject([
    { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
    { spec: { accessModes: ["ReadWriteMany"], storageClassName: "nfs" } },
  ]);
  const objects = program.engine.cluster.all();
  const users = (name: string) =>
    objects.filter((object) => JSON.stringify(object).includes(`"claimName":"${name}"`)).length;
  expect([users("rekor-1-search-index"), users("rekor-1-attestations")]).toEqual([1, 1]);
  (await program.engine.preview("--expect-no-changes")).expectSuccess();
});

test("a claim that is deleted is named for what it held, not for the logs", async () => {
  const deployed = await snapshot(program);
  const faults = await onCopy(deployed, ports, async (scene) => {
    await scene.cluster.delete(claim("rekor-1-attestations"));
    return diagnose(await scene.look());
  });
  const missing = faults.filter(({ id }) => id === "missing-persistentvolumeclaim");
  expect(missing).toHaveLength(1);
  expect(missing[0]?.cause).toContain("search index or attestations was deleted");
  expect(missing[0]?.command).not.toContain("restore");
});

test("a volume with attestations does not go by an edit", async () => {
  program.configure();
  const refused = await program.engine.up();
  expect(refused.code).not.toBe(0);
  expect(refused.errors.join("\n")).toMatch(/attestations.*cannot be deleted|protected/s);
  expect(await program.engine.cluster.get(claim("rekor-1-attestations"))).toBeDefined();
});
