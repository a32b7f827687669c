import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  imageProblem,
  imageReference,
  parseImage,
  publishedImages,
  selectImages,
} from "../../infra/scaffold/images.ts";
import { UserError } from "../../infra/errors.ts";

const digest = `sha256:${"0a".repeat(32)}`;

describe("images", () => {
  test("every published image is pinned by digest", () => {
    for (const image of Object.values(publishedImages)) {
      expect(imageProblem(image)).toBeUndefined();
      expect(image.version).toMatch(/sha256:[a-f0-9]{64}$/);
    }
  });

  test("a reference survives parsing", () => {
    const version = fc.oneof(
      fc.constant(digest),
      fc.constant(`v1.8.8@${digest}`),
      fc.stringMatching(/^[a-z0-9]{1,20}$/),
    );
    const registry = fc.stringMatching(/^[a-z]{1,8}(\.[a-z]{2,5})?(:[1-9][0-9]{1,3})?$/);
    const repository = fc.stringMatching(/^[a-z]{1,8}(\/[a-z_-]{1,8}){0,3}$/);
    fc.assert(
      fc.property(fc.record({ registry, repository, version }), (image) => {
        expect(parseImage(imageReference(image))).toEqual(image);
      }),
    );
  });

  test.each([
    ["ghcr.io/sigstore/fulcio:v1.8.8", "pinned by digest"],
    ["ghcr.io/sigstore/fulcio", "pinned by digest"],
    ["ghcr.io/sigstore/fulcio:0123456789abcdef", "pinned by digest"],
    [`ghcr.io/sigstore/fulcio@${digest.slice(0, -1)}`, "pinned by digest"],
    ["localhost/fulcio:latest", "content hash"],
    ["fulcio", "registry"],
  ])("%s is refused", (reference, rule) => {
    expect(imageProblem(parseImage(reference))).toContain(rule);
  });

  test.each([
    `ghcr.io/sigstore/fulcio@${digest}`,
    `ghcr.io/sigstore/fulcio:v1.8.8@${digest}`,
    `registry.example.com:5000/fulcio@${digest}`,
    "localhost/anchorhold/fulcio:0123456789abcdef",
    "localhost:5000/fulcio:v1.8.8-0123456789ab",
    `localhost/fulcio@${digest}`,
  ])("%s is accepted", (reference) => {
    expect(imageProblem(parseImage(reference))).toBeUndefined();
  });

  test("an override takes the published image's place, alone", () => {
    const images = selectImages({ redis: `mirror.example.com/redis@${digest}` });
    expect(imageReference(images.redis)).toBe(`mirror.example.com/redis@${digest}`);
    expect({ ...images, redis: publishedImages.redis }).toEqual(publishedImages);
  });

  test("all problems come at once", () => {
    const choose = () => selectImages({ reddis: "a/b:1", curl: "docker.io/curl:8", toString: "x" });
    expect(choose).toThrow(UserError);
    expect(choose).toThrow(/reddis: no such image.*curl: docker\.io.*toString: no such image/s);
  });
});
