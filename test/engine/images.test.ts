import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { images } from "../../cli/images/command.ts";
import { imageReference, selectImages, type ImageKey } from "../../infra/scaffold/images.ts";
import { imageUses } from "../../infra/scaffold/imageUses.ts";
import { refOf } from "../../local/pulumi/kubernetes/cluster.ts";
import { ProgramUnderTest } from "./support/stack.ts";

const mirror = "registry.example.com:5000/sigstore";
const pullSecrets = ["registry-login", "second"];
/** Of the shipped local stack. */
const prefix = "anchorhold-local-";

interface Container {
  image?: string;
}
interface Pod {
  initContainers?: Container[];
  containers: Container[];
  imagePullSecrets?: { name: string }[];
}

/** Every pod inside an object, of whatever kind it is: all that has a list of containers. */
function podsIn(value: unknown): Pod[] {
  if (typeof value !== "object" || value === null) return [];
  const inside = Object.values(value).flatMap(podsIn);
  return "containers" in value && Array.isArray(value.containers)
    ? [value as Pod, ...inside]
    : inside;
}

let program: ProgramUnderTest;

/** A pod of a deployed object and how `imageUses` would name it. */
function pods(): { component: string; name: string; pod: Pod }[] {
  return program.engine.cluster.all().flatMap((object) => {
    const { kind, name, namespace = "" } = refOf(object);
    const found = {
      component: namespace.replace(prefix, ""),
      name: `${kind.toLowerCase()}/${name}`,
    };
    return podsIn(object).map((pod) => ({ ...found, pod }));
  });
}

/** One line for each container: component, whose pod, image. */
function containers(): string[] {
  return pods().flatMap(({ component, name, pod }) => [
    ...(pod.initContainers ?? []).map(({ image }) => `${component} ${name} (init) ${image}`),
    ...pod.containers.map(({ image }) => `${component} ${name} ${image}`),
  ]);
}

/** The same lines as the table has them, with `*` for any end of a name or number. */
function expected(own: Record<string, string>): RegExp[] {
  const images = selectImages(own, mirror);
  return Object.entries(imageUses).flatMap(([key, { component, pods: names }]) =>
    names.map((name) => {
      const line = `${component} ${name} ${imageReference(images[key as ImageKey])}`;
      const escaped = line.replaceAll(/[.()]/g, "\\$&").replaceAll("*", "[-a-z0-9]+");
      return new RegExp(`^${escaped}$`);
    }),
  );
}

/** Lines of one that nothing in the other matches, both ways. */
function differences(lines: readonly string[], patterns: readonly RegExp[]) {
  return {
    notInTheTable: lines.filter((line) => !patterns.some((pattern) => pattern.test(line))),
    notDeployed: patterns.filter((pattern) => !lines.some((line) => pattern.test(line))),
  };
}

beforeAll(async () => {
  program = await ProgramUnderTest.create();
});
afterAll(() => program.close());

describe("what is refused before anything is registered", () => {
  test.each([
    [
      "a URL as the mirror",
      { mirror: `https://${mirror}` },
      "anchorhold:mirror: must be a registry",
    ],
    [
      "a mirror with a tag",
      { mirror: "registry.example.com/sigstore:v1" },
      "anchorhold:mirror: must",
    ],
    [
      "an image of one's own without a digest",
      { mirror, images: { redis: "registry.example.com/redis:7" } },
      "anchorhold:images.redis: registry.example.com/redis:7 must be pinned by digest",
    ],
    ["no name of a Secret", { pullSecrets: ["a/b"] }, "anchorhold:pullSecrets.0: must be the name"],
  ])("%s", async (_what, change, said) => {
    program.configure(change);
    const refused = await program.engine.up();
    expect(refused.code).not.toBe(0);
    expect(refused.errors.join("\n")).toContain(said);
    // Pulumi makes the stack's own entry before it runs the program.
    expect(refused.changes.filter(({ type }) => type !== "pulumi:pulumi:Stack")).toEqual([]);
    expect(program.engine.cluster.all()).toEqual([]);
  });
});

describe("a stack with a mirror and pull secrets", () => {
  beforeAll(async () => {
    program.configure({ mirror, pullSecrets });
    (await program.engine.up()).expectSuccess();
  });

  test("runs every container and init container from the mirror, by digest", () => {
    const lines = containers();
    expect(lines.length).toBeGreaterThan(12);
    for (const line of lines)
      expect(line).toMatch(/ registry\.example\.com:5000\/sigstore\/[^ @:]+@sha256:[a-f0-9]{64}$/);
  });

  test("runs exactly what the table of images says, and where it says", () => {
    expect(differences(containers(), expected({}))).toEqual({
      notInTheTable: [],
      notDeployed: [],
    });
  });

  test("has the pull secrets in the template of every pod", () => {
    const names = pullSecrets.map((name) => ({ name }));
    const without = pods().filter(
      ({ pod }) => JSON.stringify(pod.imagePullSecrets) !== JSON.stringify(names),
    );
    expect(without.map(({ name }) => name)).toEqual([]);
    const kinds = new Set(pods().map(({ name }) => name.split("/")[0]));
    expect([...kinds]).toEqual(expect.arrayContaining(["deployment", "job", "cronjob"]));
  });

  test("keeps an image of one's own, and the mirror serves the others", async () => {
    const own = { nginx: `registry.example.org/nginx@sha256:${"a".repeat(64)}` };
    program.configure({ mirror, pullSecrets, images: own });
    (await program.engine.up()).expectSuccess();
    expect(differences(containers(), expected(own))).toEqual({
      notInTheTable: [],
      notDeployed: [],
    });
  });

  test("is what anchorhold images asks Pulumi for", async () => {
    const own = { nginx: `registry.example.org/nginx@sha256:${"a".repeat(64)}` };
    for (const [name, value] of Object.entries(program.engine.environment)) vi.stubEnv(name, value);
    const lines: string[] = [];
    await images({ json: true }, (text) => lines.push(text)).finally(() => vi.unstubAllEnvs());
    const expected = Object.values(selectImages(own, mirror)).map(imageReference);
    const found = JSON.parse(lines.join("\n")) as { image: string }[];
    expect(found.map(({ image }) => image)).toEqual(expected);
  });

  test("gets no new key, tree or record from another mirror", async () => {
    const before = (await program.engine.stackOutputs())["records"];
    program.configure({ mirror: "registry.example.org" });
    const moved = (await program.engine.up()).expectSuccess();
    const trust = /^(tls|random|command):|Stash/;
    const touched = moved.changes.filter(({ type }) => trust.test(type)).map(({ name }) => name);
    // New pods are asked for what they serve; nothing is made.
    expect(touched).toEqual(["tuf-mirror-gate-observe"]);
    expect((await program.engine.stackOutputs())["records"]).toEqual(before);
    expect(pods().flatMap(({ pod }) => pod.imagePullSecrets ?? [])).toEqual([]);
  });
});
