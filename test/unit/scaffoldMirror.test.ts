import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import type { ImageRef } from "../../infra/scaffold/imageRef.ts";
import { describe, expect, test } from "vitest";
import {
  imageProblem,
  imageReference,
  parseImage,
  publishedImages,
  selectImages,
} from "../../infra/scaffold/images.ts";
import { digestOf, isMirror, mirrored, mirrorTag } from "../../infra/scaffold/mirror.ts";

const mirror = "registry.example.com:5000/sigstore";
const digest = `sha256:${"0a".repeat(32)}`;

const digests = fc.stringMatching(/^[a-f0-9]{64}$/).map((hex) => `sha256:${hex}`);
const image: fc.Arbitrary<ImageRef> = fc.record({
  registry: fc.constantFrom("docker.io", "ghcr.io", "gcr.io", "registry.example.org:5000"),
  repository: fc.stringMatching(/^[a-z]{1,3}(\/[a-z]{1,3}){0,2}$/),
  version: fc.oneof(
    digests,
    digests.map((text) => `v1.8.8@${text}`),
  ),
});
const mirrors = fc.constantFrom(mirror, "registry.example.com", "localhost:5000", "localhost/a/b");

describe("a mirror", () => {
  test.each([
    "registry.example.com",
    "registry.example.com:5000",
    "registry.example.com/sigstore",
    "registry.example.com:5000/team-a/sig__store/v1.0",
    "10.0.0.7:5000",
    "mirror:5000/sigstore",
    "localhost",
    "localhost/sigstore",
  ])("may be %s", (reference) => {
    expect(isMirror(reference)).toBe(true);
  });

  test.each([
    ["nothing", ""],
    ["a URL", "https://registry.example.com/sigstore"],
    ["with a tag", "registry.example.com/sigstore:v1"],
    ["with a tag in place of a port", "registry.example.com:latest"],
    ["with a digest", `registry.example.com/sigstore@${digest}`],
    ["with a slash at the end", "registry.example.com/sigstore/"],
    ["with an empty component", "registry.example.com//sigstore"],
    ["with capitals", "registry.example.com/Sigstore"],
    ["without a host", "sigstore/mirror"],
    ["a path", "/srv/registry"],
    ["with a port that is none", "registry.example.com:99999/sigstore"],
    ["port 0", "registry.example.com:0"],
    ["with a login", "user:password@registry.example.com/sigstore"],
    ["with what a shell would read", "registry.example.com/$(reboot)"],
    ["with a line break", "registry.example.com\n"],
    ["longer than registries take", `registry.example.com/${"a".repeat(200)}`],
  ])("is never %s", (_what, reference) => {
    expect(isMirror(reference)).toBe(false);
  });
});

describe("an image in the mirror", () => {
  test.each([
    ["ghcr.io/sigstore/fulcio", `v1.8.8@${digest}`, `${mirror}/sigstore/fulcio@${digest}`],
    ["docker.io/redis", digest, `${mirror}/library/redis@${digest}`],
    ["docker.io/library/redis", digest, `${mirror}/library/redis@${digest}`],
    ["ghcr.io/redis", digest, `${mirror}/redis@${digest}`],
  ])("of %s has its repository and digest", (name, version, expected) => {
    const slash = name.indexOf("/");
    const original = { registry: name.slice(0, slash), repository: name.slice(slash + 1), version };
    expect(imageReference(mirrored(original, mirror))).toBe(expected);
  });

  test("is in the mirror, pinned by the same digest, and a reference that survives parsing", () => {
    fc.assert(
      fc.property(image, mirrors, (original, place) => {
        const copy = mirrored(original, place);
        const reference = imageReference(copy);
        expect(reference.startsWith(`${place}/`)).toBe(true);
        expect(reference.endsWith(`@${digestOf(original)}`)).toBe(true);
        expect(imageProblem(copy)).toBeUndefined();
        expect(parseImage(reference)).toEqual(copy);
      }),
    );
  });

  test("is another for each distinct image, even where two registries have the same repository", () => {
    const crowded = fc.record({
      registry: fc.constantFrom("docker.io", "ghcr.io"),
      repository: fc.constantFrom("a/b", "library/redis", "redis"),
      version: fc.constantFrom(digest, digest.replaceAll("0a", "0b"), `v1@${digest}`),
    });
    const bytes = ({ registry, repository, version }: ImageRef) => [
      registry === "docker.io" && repository === "redis" ? "library/redis" : repository,
      version.split("@").at(-1),
    ];
    fc.assert(
      fc.property(crowded, crowded, (one, other) => {
        const [first, second] = [one, other].map((image) =>
          imageReference(mirrored(image, mirror)),
        );
        if (isDeepStrictEqual(bytes(one), bytes(other))) expect(first).toBe(second);
        else expect(first).not.toBe(second);
      }),
    );
  });

  test("needs a digest: a tag can be moved", () => {
    const tagged = { registry: "ghcr.io", repository: "sigstore/fulcio", version: "v1.8.8" };
    expect(() => mirrored(tagged, mirror)).toThrow("has no digest");
  });

  test("has a tag that names version and digest, because registries delete what has none", () => {
    const tags = Object.values(publishedImages).map(mirrorTag);
    expect(new Set(tags).size).toBe(tags.length);
    for (const tag of tags) expect(tag).toMatch(/^[\w][\w.-]{0,127}$/);
    expect(mirrorTag(publishedImages.fulcioServer)).toBe("v1.8.8-ef72cf56c64b");
    expect(mirrorTag(publishedImages.redis)).toBe("148bb5411c18");
  });
});

describe("the images of a stack with a mirror", () => {
  test("come from there, all of them, each once", () => {
    const references = Object.values(selectImages({}, mirror)).map(imageReference);
    expect(references).toHaveLength(Object.keys(publishedImages).length);
    expect(new Set(references).size).toBe(references.length);
    for (const reference of references)
      expect(reference).toMatch(
        /^registry\.example\.com:5000\/sigstore\/[^@:]+@sha256:[a-f0-9]{64}$/,
      );
  });

  test("but for those with an entry of their own", () => {
    const own = `registry.example.org/our/fulcio@${digest}`;
    const images = selectImages({ fulcioServer: own }, mirror);
    expect(imageReference(images.fulcioServer)).toBe(own);
    expect({ ...images, fulcioServer: undefined }).toEqual({
      ...selectImages({}, mirror),
      fulcioServer: undefined,
    });
  });

  test("are the published ones without a mirror", () => {
    expect(selectImages({})).toEqual(publishedImages);
  });
});
