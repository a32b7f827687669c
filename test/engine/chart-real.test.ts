import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { beforeAll, describe, expect, test } from "vitest";
import { publishedImages, type ImageKey } from "../../infra/scaffold/images.ts";
import type { Manifest } from "../../infra/scaffold/postrender/manifest.ts";
import { byKey, cases, postrender, standIn } from "./support/charts.ts";
import { findHelm, objects } from "./support/helm.ts";

// Wherever ANCHORHOLD_CHART names the folder of the real chart, both are rendered and compared whole.
const real = process.env.ANCHORHOLD_CHART ?? "";

let helm: string;
beforeAll(async () => {
  helm = await findHelm();
});

/** What may differ between the stand-in and the real chart, and why. Paths as `flatten` gives them. */
const ignored: { path: RegExp; why: string }[] = [
  {
    path: /^metadata\.labels\.|^spec\.template\.metadata\.labels\.(helm\.sh\/chart|app\.kubernetes\.io\/(version|managed-by))$/,
    why: "labels for people; those that select pods are compared in selectors and pod templates",
  },
  {
    path: /^spec\.template\.metadata\.annotations\.checksum\//,
    why: "a hash over the chart's own text, whose value is not relied on (its presence is checked)",
  },
  {
    path: /^metadata\.annotations\.cloud\.google\.com\/neg$/,
    why: "read by GKE's ingress alone, which we do not use",
  },
  { path: /^data\.__placeholder$/, why: "a remark that no server reads" },
];

/** Leaves by path. Nothing, null and empty maps or lists count as left out, as Kubernetes has it. */
function flatten(value: unknown, path: string, into: Map<string, unknown>): Map<string, unknown> {
  if (value === null || value === undefined) return into;
  if (typeof value !== "object") return into.set(path, value);
  const entries = Array.isArray(value)
    ? value.map((item, index): [string, unknown] => [`[${index}]`, item])
    : Object.entries(value).map(([name, item]): [string, unknown] => [
        path === "" ? name : `.${name}`,
        item,
      ]);
  for (const [step, item] of entries) flatten(item, path + step, into);
  return into;
}

/** Environment variables and volumes are sets by name: their order says nothing. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(ordered);
    const isNamed = items.every(
      (item) => typeof (item as { name?: unknown } | null)?.name === "string",
    );
    if (!isNamed) return items;
    return items.sort((a, b) =>
      (a as { name: string }).name < (b as { name: string }).name ? -1 : 1,
    );
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, ordered(item)]));
}

function compared(manifest: Manifest): Record<string, unknown> {
  const leaves = flatten(ordered(manifest), "", new Map());
  return Object.fromEntries(
    [...leaves].filter(([path]) => !ignored.some((rule) => rule.path.test(path))),
  );
}

const checksums = (manifest: Manifest) =>
  [...flatten(manifest, "", new Map()).keys()].filter((path) => path.includes("checksum/")).sort();

if (real === "")
  console.log(
    "Skipped: the comparison with the real scaffold chart, because ANCHORHOLD_CHART names none. " +
      "Set it to the folder of an unpacked scaffold 0.6.113.",
  );

describe.skipIf(real === "")("the real chart of ANCHORHOLD_CHART", () => {
  const count = { objects: 0, fields: 0 };

  test.each(cases)("$title: renders what the stand-in renders", ({ sample }) => {
    const theirs = byKey(objects(helm, real, sample, postrender));
    const ours = byKey(objects(helm, standIn, sample, postrender));
    expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
    for (const [name, manifest] of Object.entries(theirs)) {
      const fields = compared(manifest);
      expect(compared(ours[name]!), name).toEqual(fields);
      expect(checksums(ours[name]!), name).toEqual(checksums(manifest));
      count.objects += 1;
      count.fields += Object.keys(fields).length;
    }
  });

  test("every ignored field is really there to ignore", () => {
    const paths = cases.flatMap(({ sample }) =>
      objects(helm, real, sample, postrender).flatMap((manifest) => [
        ...flatten(manifest, "", new Map()).keys(),
      ]),
    );
    for (const { path, why } of ignored)
      expect(
        paths.some((item) => path.test(item)),
        why,
      ).toBe(true);
    expect(count.objects).toBeGreaterThan(0);
    console.log(`Compared with ${real}: ${count.objects} objects, ${count.fields} fields.`);
  });

  test("our table of images is the chart's", () => {
    const defaults = (part: string) =>
      parse(readFileSync(join(real, "charts", part, "values.yaml"), "utf8")) as Record<
        string,
        never
      >;
    const at = (part: string, path: string) =>
      path
        .split(".")
        .reduce<unknown>((value, step) => (value as Record<string, unknown>)[step], defaults(part));
    const places: Partial<Record<ImageKey, [string, string]>> = {
      trillianLogServer: ["trillian", "logServer.image"],
      trillianLogSigner: ["trillian", "logSigner.image"],
      database: ["trillian", "mysql.image"],
      netcat: ["trillian", "initContainerImage.netcat"],
      curl: ["rekor", "initContainerImage.curl"],
      redis: ["rekor", "redis.image"],
      ctServer: ["ctlog", "server.image"],
      rekorServer: ["rekor", "server.image"],
      timestampServer: ["tsa", "server.image"],
      fulcioServer: ["fulcio", "server.image"],
    };
    for (const [image, [part, path]] of Object.entries(places))
      expect(at(part, path), image).toMatchObject(publishedImages[image as ImageKey]);
  });
});
