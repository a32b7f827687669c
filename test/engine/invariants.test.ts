import { createPrivateKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ecKeyPair } from "../unit/trust/fixture.ts";
import type { StateResource } from "./support/engine.ts";
import { alwaysHolds, converged, holdsBetween } from "./support/invariants.ts";
import type { Accepted } from "./support/mirrorClient.ts";
import type { World } from "./support/world.ts";

const { privateKeyPem } = ecKeyPair();

function resource(name: string, type: string, rest: Partial<StateResource> = {}): StateResource {
  return { urn: `urn:pulumi:test::anchorhold::${type}::${name}`, type, protect: true, ...rest };
}

/** A secret as an export shows it. */
function shown(value: unknown) {
  return { "4dabf18193072939515e22adb298388d": "…", plaintext: JSON.stringify(value) };
}

const key = resource("key", "tls:index/privateKey:PrivateKey", {
  id: "1",
  outputs: { privateKeyPemPkcs8: shown(privateKeyPem) },
});
const record = resource("rekor-1-public", "pulumi:index:Stash", {
  outputs: { input: "first", output: { treeId: "1" } },
});

function mirror(version: number, initialRoot = "root 1"): Accepted {
  const versions = { root: 1, timestamp: version, snapshot: version, targets: version };
  return { versions, initialRoot, target: () => "" };
}

function object(name: string, rest: object = {}) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "n", name }, ...rest };
}

const world: World = {
  resources: [key, record],
  pending: [],
  objects: [object("a")],
  trees: [
    { treeId: "1", treeState: "", treeType: "", displayName: "rekor-1", description: "x rekor-1" },
  ],
  signing: { result: "signed" },
  mirrors: [mirror(2)],
  strangers: [],
  closed: [],
  destroyed: [],
  trusted: ["the mirror lists CA 1"],
};

test("a world in which all is well, and one that has grown", () => {
  const grown = {
    ...world,
    resources: [
      ...world.resources,
      resource("fulcio-ca-2-key", "tls:index/privateKey:PrivateKey", key),
    ],
    trusted: [...world.trusted, "the mirror lists CA 2"],
    mirrors: [mirror(3)],
  };
  expect(alwaysHolds(world)).toEqual([]);
  expect(holdsBetween(world, grown)).toEqual([]);
  expect(converged(world, world)).toEqual([]);
});

describe("what is wrong with one state", () => {
  const der = createPrivateKey(privateKeyPem).export({ type: "pkcs8", format: "der" });
  const scalar = createPrivateKey(privateKeyPem).export({ format: "jwk" }).d!;
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const helm = { kind: "Secret", type: "helm.sh/release.v1" };

  test.each<[string, Partial<World>, string]>([
    [
      "a refused client",
      { signing: { result: "refused", reason: "why" } },
      "a client is refused: why",
    ],
    ["a service that is none of ours", { strangers: ["Rekor: tree 5"] }, "Rekor: tree 5"],
    [
      "a tree made twice",
      { trees: [...world.trees, ...world.trees] },
      'made twice: tree "x rekor-1"',
    ],
    [
      "a mirror that clients refuse",
      { mirrors: [new Error("expired")] },
      "a mirror is refused: expired",
    ],
    ["mirrors that differ", { mirrors: [mirror(1), mirror(2)] }, "mirrors serve"],
    [
      "a key as PEM",
      { objects: [object("a", { data: { a: privateKeyPem } })] },
      "is in ConfigMap n/a",
    ],
    [
      "a key as base64 of PEM",
      { objects: [object("a", { data: { a: base64(privateKeyPem) } })] },
      "is in ConfigMap n/a",
    ],
    [
      "a key as DER",
      { objects: [object("a", { binaryData: { a: der.toString("base64") } })] },
      "is in ConfigMap n/a",
    ],
    [
      "a key's scalar in hex",
      { objects: [object("a", { data: { a: Buffer.from(scalar, "base64url").toString("hex") } })] },
      "is in ConfigMap n/a",
    ],
    [
      "a key among Helm's values",
      {
        objects: [
          object("sh.helm.release.v1.ctlog.v3", {
            ...helm,
            data: { release: base64(JSON.stringify({ config: { key: base64(privateKeyPem) } })) },
          }),
        ],
      },
      "is in Secret n/sh.helm.release.v1.ctlog",
    ],
  ])("%s", (_what, change, problem) => {
    expect(alwaysHolds({ ...world, ...change }).join()).toContain(problem);
  });

  test("a key in a Secret of ours is where it belongs", () => {
    const secret = object("a", {
      kind: "Secret",
      type: "Opaque",
      data: { a: base64(privateKeyPem) },
    });
    expect(alwaysHolds({ ...world, objects: [secret] })).toEqual([]);
  });
});

describe("what may not happen from one state to the next", () => {
  test.each<[string, Partial<World>, string]>([
    ["a key is gone", { resources: [record] }, "gone: "],
    ["a key is another", { resources: [{ ...key, id: "2" }, record] }, "made again: "],
    [
      "a record says something else",
      { resources: [key, { ...record, outputs: { output: { treeId: "2" } } }] },
      "made again: ",
    ],
    ["trust is forgotten", { trusted: [] }, "no more: the mirror lists CA 1"],
    ["TUF steps back", { mirrors: [mirror(1)] }, "TUF timestamp went from 2 to 1"],
    ["the first root changes", { mirrors: [mirror(2, "root one")] }, "1.root.json has changed"],
    ["the mirror goes away", { mirrors: [] }, "the mirror served and does no more"],
    [
      "signing stops",
      { signing: { result: "unreachable", reason: "down" } },
      "signing has stopped: down",
    ],
  ])("%s", (_what, change, problem) => {
    expect(holdsBetween(world, { ...world, ...change }).join()).toContain(problem);
  });

  test("a Stash's ignored input may change", () => {
    const edited = { ...record, outputs: { ...record.outputs, input: "second" } };
    expect(holdsBetween(world, { ...world, resources: [key, edited] })).toEqual([]);
  });
});

describe("what has not converged", () => {
  const autonamed = (name: string) => {
    const annotations = { "pulumi.com/autonamed": "true" };
    return { apiVersion: "v1", kind: "Secret", metadata: { namespace: "n", name, annotations } };
  };

  test.each<[string, Partial<World>, string]>([
    [
      "an operation is pending",
      { pending: [{ type: "creating", resource: key }] },
      "still pending: creating",
    ],
    ["a resource is missing", { resources: [key] }, "resources: 1 missing: "],
    [
      "an object is left over",
      { objects: [object("a"), object("b")] },
      "objects: 1 too many: ConfigMap n/b",
    ],
    ["nobody signs", { signing: { result: "unreachable", reason: "" } }, "signing: unreachable"],
  ])("%s", (_what, change, problem) => {
    expect(converged({ ...world, ...change }, world).join()).toContain(problem);
  });

  test("Helm may remember one revision more, but no other release", () => {
    const helm = { kind: "Secret", type: "helm.sh/release.v1" };
    const revision = (name: string) => object(`sh.helm.release.v1.${name}`, helm);
    const one = { ...world, objects: [revision("a.v1")] };
    expect(converged({ ...world, objects: [revision("a.v1"), revision("a.v2")] }, one)).toEqual([]);
    expect(converged({ ...world, objects: [revision("a.v1"), revision("b.v1")] }, one)).toEqual([
      "objects: 1 too many: Secret n/sh.helm.release.v1.b",
    ]);
  });

  test("a serving state of the mirror counts once, whatever its hash, and two of them twice", () => {
    const state = (hash: string) => {
      const labels = { "anchorhold.dev/serving": `1-${hash}` };
      const metadata = { namespace: "n", name: `tuf-1-${hash}`, labels };
      return { apiVersion: "apps/v1", kind: "Deployment", metadata };
    };
    const [one, other] = [state("0123456789ab"), state("ba9876543210")];
    expect(converged({ ...world, objects: [other] }, { ...world, objects: [one] })).toEqual([]);
    expect(converged({ ...world, objects: [one, other] }, { ...world, objects: [one] })).toEqual([
      "objects: 1 too many: Deployment n/tuf-1-…",
    ]);
  });

  test("a generated name counts once, whatever its end", () => {
    const once = { ...world, objects: [autonamed("key-01234567")] };
    const other = { ...world, objects: [autonamed("key-89abcdef")] };
    const twice = { ...world, objects: [autonamed("key-01234567"), autonamed("key-89abcdef")] };
    expect(converged(other, once)).toEqual([]);
    expect(converged(twice, once)).toEqual(["objects: 1 too many: Secret n/key-…"]);
  });
});
