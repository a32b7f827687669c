import { describe, expect, test } from "vitest";
import { elsewhereProblems } from "../../infra/config/elsewhere.ts";

const digest = `sha256:${"a".repeat(64)}`;
const built = "localhost/anchorhold/fulcio:0123456789abcdef";

describe("outside the stack local", () => {
  test("an image without a digest is refused, with its place", () => {
    const images = { fulcioServer: built, nginx: `ghcr.io/x/nginx:1@${digest}` };
    expect(elsewhereProblems({ images, issuers: [] }, "production")).toEqual([
      `anchorhold:images.fulcioServer: ${built} must be pinned by digest outside the stack local: ` +
        "add @sha256: and 64 hex digits",
    ]);
  });

  test.each([
    "example.com",
    "rekor.sigstore.example.com",
    "https://login.example.org/",
    "registry.example.net:5000/sigstore",
    "someone@Example.com",
  ])("the placeholder %s is refused", (text) => {
    const config = { images: {}, issuers: [], exposure: { hosts: { rekor: { "1": text } } } };
    expect(elsewhereProblems(config, "review")).toEqual([
      `anchorhold:exposure.hosts.rekor.1: ${text} is a placeholder: write your own name`,
    ]);
  });

  test.each([
    "my-example.com",
    "myexample.com",
    "example.com.au",
    "example.community",
    "example.coma",
    "sigstore.test",
  ])("%s is somebody's name", (text) => {
    expect(elsewhereProblems({ images: {}, issuers: [], mirror: text } as never, "review")).toEqual(
      [],
    );
  });

  test("a list's place has its index", () => {
    const config = { images: {}, issuers: [{ issuer: "https://gitlab.example.com" }] };
    expect(elsewhereProblems(config, "review")).toEqual([
      "anchorhold:issuers.0.issuer: https://gitlab.example.com is a placeholder: write your own name",
    ]);
  });
});

test("an issuer without TLS is refused, and may be in the stack local", () => {
  const config = { images: {}, issuers: [{ issuer: "http://gitlab.test" }] };
  expect(elsewhereProblems(config, "review")).toEqual([
    expect.stringMatching(
      /^anchorhold:issuers\.0\.issuer: http:\/\/gitlab\.test must be https outside the stack local/,
    ),
  ]);
  expect(elsewhereProblems(config, "local")).toEqual([]);
});

test.each([
  "./local/chart/scaffold",
  "local/chart/scaffold/",
  `${process.cwd()}/local/chart/scaffold`,
])("outside the stack local, the stand-in chart at %s is refused", (path) => {
  const config = { images: {}, issuers: [], chart: { path } };
  expect(elsewhereProblems(config, "production")).toEqual([
    `anchorhold:chart.path: ${path} is the stand-in for the scaffold chart, for the stack local: ` +
      "name a repository (with version), or the folder of the unpacked chart",
  ]);
  expect(elsewhereProblems(config, "local")).toEqual([]);
  const own = { images: {}, issuers: [], chart: { path: "./charts/local" } };
  expect(elsewhereProblems(own, "review")).toEqual([]);
});

test("the stack local, and local-… beside it, may have both", () => {
  const config = { images: { fulcioServer: built }, issuers: [], mirror: "example.com" };
  expect(elsewhereProblems(config, "local")).toEqual([]);
  expect(elsewhereProblems(config, "local-2")).toEqual([]);
  expect(elsewhereProblems(config, "locality")).toHaveLength(2);
});
