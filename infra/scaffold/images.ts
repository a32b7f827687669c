import { reportAll } from "../errors.ts";
import type { ImageRef } from "./imageRef.ts";
import { mirrored } from "./mirror.ts";

export type ImageKey =
  | "trillianLogServer"
  | "trillianLogSigner"
  | "database"
  | "netcat"
  | "curl"
  | "redis"
  | "ctServer"
  | "rekorServer"
  | "timestampServer"
  | "fulcioServer"
  | "nginx"
  | "node";

export type Images = Readonly<Record<ImageKey, ImageRef>>;

const image = (registry: string, repository: string, version: string): ImageRef => ({
  registry,
  repository,
  version,
});

/**
 * What is published: the images that scaffold 0.6.113 pins, byte for byte, the nginx that serves TUF
 * (docker.io/nginxinc/nginx-unprivileged:1.30.5-alpine) and the Node.js that signs its timestamps
 * (docker.io/library/node:24.21.0-bookworm-slim), both by the digests of their image indexes.
 */
export const publishedImages: Images = {
  trillianLogServer: image(
    "ghcr.io",
    "sigstore/scaffolding/trillian_log_server",
    "sha256:5a878e4e4f03790d2dda4b07a551ff9832128b307447d4156255c73690aa2da3",
  ),
  trillianLogSigner: image(
    "ghcr.io",
    "sigstore/scaffolding/trillian_log_signer",
    "sha256:28c5ff40963f83ffdf4e2d9ea1e4e2c877c33cfb0ff068f3daad1c1080aad0ac",
  ),
  database: image(
    "gcr.io",
    "trillian-opensource-ci/db_server",
    "sha256:2a685a38dd0129cceb646c232d285383f614c7e6fa51ff8f512aef78e4298461",
  ),
  netcat: image(
    "docker.io",
    "subfuzion/netcat",
    "sha256:7e808e84a631d9c2cd5a04f6a084f925ea388e3127553461536c1248c3333c8a",
  ),
  curl: image(
    "docker.io",
    "curlimages/curl",
    "sha256:935d9100e9ba842cdb060de42472c7ca90cfe9a7c96e4dacb55e79e560b3ff40",
  ),
  redis: image(
    "docker.io",
    "redis",
    "sha256:148bb5411c184abd288d9aaed139c98123eeb8824c5d3fce03cf721db58066d8",
  ),
  ctServer: image(
    "ghcr.io",
    "sigstore/scaffolding/ct_server",
    "v0.7.31@sha256:66664ba563e7c2564ba32fb5d0e8fdeb42d7f0d5ce45f0df5d80074daea5126c",
  ),
  rekorServer: image(
    "ghcr.io",
    "sigstore/rekor/rekor-server",
    "v1.5.4@sha256:100d793d68d0e1ba9fea7df8503304cef1ca736c891bd074fcae3d450dd64169",
  ),
  timestampServer: image(
    "ghcr.io",
    "sigstore/timestamp-server",
    "v2.1.0@sha256:8637f0482ed1ecb229b44ebd0afc760f6f57114a4d53c6953cf65c00218896b2",
  ),
  fulcioServer: image(
    "ghcr.io",
    "sigstore/fulcio",
    "v1.8.8@sha256:ef72cf56c64b7455ceda5268d1cc801b92992e7ce36b744b40b7761684d60753",
  ),
  nginx: image(
    "docker.io",
    "nginxinc/nginx-unprivileged",
    "1.30.5-alpine@sha256:ed04ec1ff34502c339ee5c3ae3f855442398edc1d05591e2b98981dcbbd20b1e",
  ),
  node: image(
    "docker.io",
    "library/node",
    "24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6",
  ),
};

/**
 * Splits `registry/repository[:tag][@sha256:…]`. The registry is all before the first slash, port
 * included; without tag and digest the version is empty, which `imageProblem` refuses.
 */
export function parseImage(reference: string): ImageRef {
  const slash = reference.indexOf("/");
  const registry = slash < 0 ? "" : reference.slice(0, slash);
  const rest = reference.slice(slash + 1);
  const end = rest.search(/[:@]/);
  if (end < 0) return image(registry, rest, "");
  return image(registry, rest.slice(0, end), rest.slice(end + 1));
}

/** `registry/repository@sha256:…` or `registry/repository:version`, as the chart renders it. */
export function imageReference({ registry, repository, version }: ImageRef): string {
  return `${registry}/${repository}${version.startsWith("sha256:") ? "@" : ":"}${version}`;
}

const digest = /^([\w][\w.-]{0,127}@)?sha256:[a-f0-9]{64}$/;
/** A tag that is, or ends in, at least twelve hex digits of a content hash. */
const contentHash = /^([\w.]+-)?[a-f0-9]{12,64}$/;

/** The rule that an image breaks, or undefined. A tag can be moved, so a tag alone is not enough. */
export function imageProblem({ registry, repository, version }: ImageRef): string | undefined {
  if (registry === "" || repository === "") return "must name its registry and repository";
  if (digest.test(version)) return undefined;
  const local = /^localhost(:\d+)?$/.test(registry);
  if (local && contentHash.test(version)) return undefined;
  return local
    ? "must have a content hash (12 to 64 hex digits) as its tag, or a digest (@sha256:…)"
    : "must be pinned by digest: add @sha256: and 64 hex digits";
}

function isImageKey(key: string): key is ImageKey {
  return Object.hasOwn(publishedImages, key);
}

/**
 * What is wrong with the stack's own images: unknown keys, and references that are not pinned.
 * @param overrides references by image key, as in `anchorhold:images`
 */
export function imageProblems(overrides: Readonly<Record<string, string>>): string[] {
  return Object.entries(overrides).flatMap(([key, reference]) => {
    if (!isImageKey(key))
      return [`${key}: no such image; known are ${Object.keys(publishedImages).join(", ")}`];
    const problem = imageProblem(parseImage(reference));
    return problem === undefined ? [] : [`${key}: ${reference} ${problem}`];
  });
}

/**
 * The images that a stack runs: the published ones, from the mirror if there is one, with the stack's
 * own in their place.
 * @param overrides references by image key, as in `anchorhold:images`; they win over the mirror
 * @param mirror as in `anchorhold:mirror`
 * @throws UserError that lists every unknown key and every image that is not pinned
 */
export function selectImages(overrides: Readonly<Record<string, string>>, mirror?: string): Images {
  const problems = imageProblems(overrides);
  if (problems.length > 0)
    throw reportAll("anchorhold:images cannot be used. Mend them in the stack file:", problems);
  const chosen = Object.entries(publishedImages).map(([key, published]): [string, ImageRef] => {
    const own = overrides[key];
    if (own !== undefined) return [key, parseImage(own)];
    return [key, mirror === undefined ? published : mirrored(published, mirror)];
  });
  return Object.fromEntries(chosen) as Images;
}
