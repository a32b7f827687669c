import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outputsSchema, type StackOutputs } from "../../infra/outputs.ts";
import { refOf } from "../../local/pulumi/kubernetes/cluster.ts";
import { openlyIn, secretsOf } from "./support/secrets.ts";
import { ProgramUnderTest } from "./support/stack.ts";

let program: ProgramUnderTest;
let first: StackOutputs;

/** Resource types that make trust: none of them may ever be replaced or changed by itself. */
const trustTypes = ["tls:index/privateKey:PrivateKey", "random:index/", "command:local:Command"];
const isTrust = (type: string) => trustTypes.some((prefix) => type.startsWith(prefix));

async function outputs(): Promise<StackOutputs> {
  return outputsSchema.parse(await program.engine.stackOutputs());
}

/** The resources of the state with their secrets in the clear, for comparisons. */
async function resources() {
  const { state } = await program.engine.exportState({ showSecrets: true });
  // The stack reference repeats what it last read; it holds nothing of its own.
  return (state.deployment.resources ?? []).filter(({ urn }) => !urn.endsWith("::previous"));
}

beforeAll(async () => {
  program = await ProgramUnderTest.create();
});

afterAll(() => program.close());

describe("the first deployment", () => {
  test("a preview creates nothing in the cluster and makes no tree", async () => {
    const preview = (await program.engine.preview()).expectSuccess();
    expect(new Set(preview.changes.map(({ op }) => op))).toEqual(new Set(["create"]));
    expect(program.engine.cluster.all()).toEqual([]);
    expect(program.trillian.trees).toEqual([]);
  });

  test("makes two trees and one record a generation, and exports no secret", async () => {
    (await program.engine.up()).expectSuccess();
    first = await outputs();
    expect(program.trillian.trees.map(({ displayName }) => displayName).sort()).toEqual([
      "ctlog-1",
      "rekor-1",
    ]);
    for (const kind of Object.values(first.records)) expect(Object.keys(kind)).toEqual(["1"]);
    expect(JSON.stringify(first)).not.toContain("PRIVATE KEY");
  });

  test.each(["ctlog", "fulcio-server", "rekor-1-server", "trillian-logserver", "tsa-server"])(
    "runs %s twice, with a budget for drained nodes",
    (server) => {
      const found = program.engine.cluster.all().filter((object) => refOf(object).name === server);
      const of = (wanted: string) => found.filter(({ kind }) => kind === wanted);
      expect(of("Deployment")).toMatchObject([{ spec: { replicas: 2 } }]);
      expect(of("PodDisruptionBudget")).toMatchObject([{ spec: { maxUnavailable: 1 } }]);
    },
  );

  test("every key, tree, record and namespace is protected", async () => {
    const all = await resources();
    const unprotected = all
      .filter(({ type, urn }) => isTrust(type) || /-public$|root-1-json$/.test(urn))
      .concat(all.filter(({ type }) => /Namespace$|PersistentVolumeClaim$|Release$/.test(type)))
      .filter(({ type }) => !type.startsWith("anchorhold:"))
      .filter(({ protect }) => protect !== true);
    expect(unprotected.map(({ urn }) => urn)).toEqual([]);
  });
});

describe("the order", () => {
  test("logs serve before TUF names them, and TUF serves before anything signs", async () => {
    const all = (await resources()).map(({ urn }) => urn);
    const place = (end: string) => all.findIndex((urn) => urn.endsWith(end));
    for (const log of ["Release::ctlog-release", "Release::rekor-1-server-release"])
      expect(place(log)).toBeLessThan(place("::tuf-mirror-service-service"));
    for (const producer of [
      "helm.sh/v3:Release::fulcio-release",
      "helm.sh/v3:Release::tsa-release",
    ])
      expect(place("::tuf-mirror-service-service")).toBeLessThan(place(producer));
  });
});

describe("nothing regenerates", () => {
  test("three updates without a change do nothing", async () => {
    for (let run = 0; run < 3; run++)
      expect((await program.engine.up("--expect-no-changes")).expectSuccess().changes).toEqual([]);
    expect(await outputs()).toEqual(first);
  });

  test("a cosmetic edit touches no key, certificate, tree, record or TUF root", async () => {
    const subject = { organization: "another", commonName: "another name" };
    program.configure({
      subjects: { fulcioCa: subject, tsa: subject },
      labels: { team: "platform" },
    });
    const edited = (await program.engine.up()).expectSuccess();
    const touched = edited.changes.filter(({ type }) => isTrust(type) || /Stash/.test(type));
    expect(touched).toEqual([]);
    expect((await outputs()).records).toEqual(first.records);
    expect((await outputs()).initialRoot).toBe(first.initialRoot);
    program.configure();
    (await program.engine.up()).expectSuccess();
  });

  test("another image changes one Release and no trust", async () => {
    const image = `registry.example.com/fulcio@sha256:${"a".repeat(64)}`;
    program.configure({ images: { fulcioServer: image } });
    const edited = (await program.engine.preview()).expectSuccess();
    expect(edited.changes.map(({ op, name }) => `${op} ${name}`)).toEqual([
      "update fulcio-release",
    ]);
    program.configure();
  });

  test("what was deleted in the cluster comes back with the same bytes", async () => {
    const secrets = () =>
      program.engine.cluster
        .all()
        .filter(({ kind, type }) => kind === "Secret" && type === "Opaque")
        .map(({ data }) => JSON.stringify(data));
    const before = secrets();
    for (const object of program.engine.cluster.all())
      if (object["kind"] === "Secret" && object["type"] === "Opaque") {
        const { name, namespace } = object["metadata"] as { name: string; namespace: string };
        await program.engine.cluster.delete({ apiVersion: "v1", kind: "Secret", name, namespace });
      }
    expect(secrets()).toEqual([]);
    (await program.engine.up("--refresh")).expectSuccess();
    expect(secrets().sort()).toEqual(before.sort());
    expect((await outputs()).records).toEqual(first.records);
  });
});

describe("what is refused", () => {
  test.each([
    ["a second generation", { tsa: { "1": "active", "2": "announced" } }, "not yet"],
    ["a gap", { rekor: { "2": "active" } }, "generation 1 is missing"],
    ["two active ones", { rekor: { "1": "active", "2": "active" } }, "exactly one generation"],
    ["supplied keys", { rekor: { "1": { state: "active", source: "supplied" } } }, "source"],
  ])("%s, before anything is registered", async (_what, change, expected) => {
    const before = await resources();
    const trust = { "1": "active" };
    program.configure({
      trust: {
        fulcioCa: trust,
        ctLog: trust,
        tsa: trust,
        tufRoot: trust,
        tufOnline: trust,
        rekor: trust,
        ...change,
      },
    });
    const refused = await program.engine.up();
    program.configure();
    expect(refused.code).not.toBe(0);
    expect(refused.errors.join("\n")).toContain(expected);
    expect(refused.changes).toEqual([]);
    expect(await resources()).toEqual(before);
  });

  test("--replace of a key, a record or a tree", async () => {
    const trust = (await resources()).filter(
      ({ type, urn }) => isTrust(type) || urn.endsWith("-public"),
    );
    expect(trust.length).toBeGreaterThan(12);
    const refused = await program.engine.preview(...trust.flatMap(({ urn }) => ["--replace", urn]));
    expect(refused.code).not.toBe(0);
    for (const { urn } of trust)
      expect(refused.errors.join("\n")).toContain(`unable to replace resource "${urn}"`);
  });

  test("a chart version without values, and an unreachable chart", async () => {
    const repository = "https://sigstore.github.io/helm-charts";
    program.configure({ chart: { repository, version: "0.5.0" } });
    const old = await program.engine.preview();
    program.configure({ chart: { path: "./no/such/chart" } });
    const missing = await program.engine.preview();
    program.configure();
    expect(old.errors.join("\n")).toContain("for which Anchorhold has no values");
    expect(missing.errors.join("\n")).toContain("cannot be read");
    expect([old.code, missing.code]).not.toContain(0);
  });
});

describe("the TUF repository", () => {
  test("another issuer makes version 2 of the roles, and root 1 stays", async () => {
    program.configure({
      issuers: [{ issuer: "https://gitlab.example.com", clientId: "x", type: "email" }],
    });
    (await program.engine.up()).expectSuccess();
    const changed = await outputs();
    expect([first.tuf.version, changed.tuf.version > first.tuf.version]).toEqual([1, true]);
    expect(changed.revision).not.toBe(first.revision);
    expect(changed.initialRoot).toBe(first.initialRoot);
    expect(changed.records).toEqual(first.records);
    expect((await program.engine.preview("--expect-no-changes")).code).toBe(0);
  });
});

describe("keys stay put", () => {
  test("no private key or password is in the clear in the state, in values or in ConfigMaps", async () => {
    const secrets = (await resources()).flatMap(secretsOf);
    expect(secrets).toHaveLength(10);
    const { text } = await program.engine.exportState();
    const open = program.engine.cluster
      .all()
      .filter(({ kind, type }) => kind !== "Secret" || type !== "Opaque");
    const found = [{ text }, ...open].flatMap((place) => openlyIn(place, secrets));
    expect(found.map(({ of }) => of)).toEqual([]);
  });
});
