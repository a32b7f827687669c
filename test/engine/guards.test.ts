// What surrounds the pods: Pod Security, network policies and quotas, on the real engine.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { networkPolicies } from "../../infra/platform/networkPolicies.ts";
import { stackNamespaces } from "../../infra/scaffold/names.ts";
import { objectAt, textAt, type Props } from "../../local/pulumi/values.ts";
import { configWith } from "../support/config.ts";
import { ProgramUnderTest } from "./support/stack.ts";

const spaces = stackNamespaces("anchorhold-local", [1]);
const quota = { cpu: "1", memory: "1Gi", pods: 10, components: { trillian: { memory: "2Gi" } } };

let program: ProgramUnderTest;

const of = (kind: string): Props[] =>
  program.engine.cluster.all().filter((object) => object["kind"] === kind);
const place = (object: Props) =>
  `${textAt(object, "metadata", "namespace")}/${textAt(object, "metadata", "name")}`;

beforeAll(async () => {
  program = await ProgramUnderTest.create();
  program.configure({ quota });
});
afterAll(() => program.close());

describe("before anything is registered", () => {
  test("a quota that is too small is refused once, with each namespace", async () => {
    program.configure({ quota: { memory: "100Mi", components: { tuf: { memory: "1Gi" } } } });
    const refused = await program.engine.up();
    program.configure({ quota });
    expect(refused.code).not.toBe(0);
    expect(refused.changes.map(({ type }) => type)).toEqual(["pulumi:pulumi:Stack"]);
    expect(program.engine.cluster.all()).toEqual([]);
    const [said = "", ...others] = refused.errors.filter((line) => line.includes("too small"));
    expect(others).toEqual([]);
    expect(said).toContain(
      "namespace anchorhold-local-trillian: memory 100Mi is given, 576Mi needed",
    );
    expect(said).toContain(
      "namespace anchorhold-local-rekor-1: memory 100Mi is given, 256Mi needed",
    );
    expect(said).not.toContain("anchorhold-local-tuf");
  });
});

describe("the first deployment", () => {
  let order: string[];

  beforeAll(async () => {
    order = (await program.engine.up()).expectSuccess().changes.map(({ name }) => name);
  });

  test("enforces the restricted standard in each namespace", () => {
    const own = of("Namespace").filter((space) =>
      spaces.includes(textAt(space, "metadata", "name")),
    );
    expect(own).toHaveLength(spaces.length);
    for (const space of own)
      expect(objectAt(space, "metadata", "labels")).toMatchObject({
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "latest",
      });
  });

  test("makes every policy of the table, what allows before what denies, and all before the pods", () => {
    const wanted = networkPolicies(configWith());
    expect(of("NetworkPolicy").map(place).sort()).toEqual(
      wanted.map(({ namespace, name }) => `${namespace}/${name}`).sort(),
    );
    for (const { namespace, name, spec } of wanted) {
      const made = of("NetworkPolicy").find((policy) => place(policy) === `${namespace}/${name}`);
      expect(made?.["spec"]).toEqual(spec);
      const deny = order.indexOf(`${namespace}-default-deny`);
      expect(order.indexOf(`${namespace}-${name}`)).toBeLessThanOrEqual(deny);
    }
    const after = (release: string, space: string) =>
      expect(order.indexOf(release)).toBeGreaterThan(order.indexOf(`${space}-default-deny`));
    for (const part of ["trillian", "ctlog", "tsa", "fulcio"])
      after(`${part}-release`, `anchorhold-local-${part}`);
    after("rekor-1-server-release", "anchorhold-local-rekor-1");
    after("tuf-mirror-revision-signing", "anchorhold-local-tuf");
  });

  test("makes a quota and a limit range in each namespace", () => {
    const quotas = Object.fromEntries(
      of("ResourceQuota").map((made) => [
        textAt(made, "metadata", "namespace"),
        objectAt(made, "spec", "hard"),
      ]),
    );
    const hard = { "requests.cpu": "1", "requests.memory": "1Gi", pods: "10" };
    expect(quotas).toEqual({
      ...Object.fromEntries(spaces.map((space) => [space, hard])),
      "anchorhold-local-trillian": { ...hard, "requests.memory": "2Gi" },
    });
    expect(of("LimitRange")).toHaveLength(spaces.length);
  });
});

describe("later", () => {
  test("a destroy is refused before any of it is gone", async () => {
    const before = program.engine.cluster.all().length;
    const refused = await program.engine.destroy();
    expect(refused.code).not.toBe(0);
    expect(program.engine.cluster.all()).toHaveLength(before);
  });

  test("the quota goes with its lines, and nothing else changes", async () => {
    program.configure();
    const { changes } = (await program.engine.up()).expectSuccess();
    expect(changes.map(({ op }) => op)).toEqual(Array<string>(2 * spaces.length).fill("delete"));
    expect([...of("ResourceQuota"), ...of("LimitRange")]).toEqual([]);
    expect((await program.engine.preview("--expect-no-changes")).code).toBe(0);
  });

  test("everything runs under one user id, or the cluster's, by one edit", async () => {
    for (const [runAsUser, ids] of [
      ["1000660000", { runAsUser: 1_000_660_000, runAsGroup: 0, fsGroup: 1_000_660_000 }],
      ["assigned", {}],
    ] as const) {
      program.configure({ runAsUser });
      (await program.engine.up()).expectSuccess();
      const contexts = of("Deployment").map((made) =>
        objectAt(made, "spec", "template", "spec", "securityContext"),
      );
      expect(contexts.length).toBeGreaterThan(8);
      for (const { runAsUser: user, runAsGroup, fsGroup } of contexts)
        expect(JSON.parse(JSON.stringify({ runAsUser: user, runAsGroup, fsGroup }))).toEqual(ids);
    }
  });
});
