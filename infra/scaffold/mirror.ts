import type { ImageRef } from "./imageRef.ts";

const label = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
/**
 * A registry's host, with a port or not, and repository components after it (OCI distribution
 * specification, "Pulling manifests"). A first part without a dot or a port would be taken for a
 * repository of Docker Hub; only `localhost` is a host by itself.
 */
const registryReference = new RegExp(
  `^(?=localhost(?:/|$)|[^/]*[.:])${label}(?:\\.${label})*(?::(\\d{1,5}))?(?:/${component})*$`,
);
/** Leaves room for a repository of ours: registries refuse repository names beyond 255 characters. */
const longest = 200;

/** What a mirror must be, for error texts. */
export const mirrorRule =
  "must be a registry reference such as registry.example.com/sigstore or " +
  "registry.example.com:5000: no scheme, tag, digest or slash at the end";

/** Whether a text names a place in a registry that images can be taken from. */
export function isMirror(text: string): boolean {
  if (text.length > longest) return false;
  const match = registryReference.exec(text);
  const port = match?.[1];
  return match !== null && (port === undefined || (Number(port) > 0 && Number(port) <= 65535));
}

/** An image's digest with its `sha256:`; undefined for an image that has a tag alone. */
export function digestOf({ version }: ImageRef): string | undefined {
  return /sha256:[a-f0-9]{64}$/.exec(version)?.[0];
}

/** `redis` on Docker Hub is short for `library/redis`; in any other registry it would be another. */
function fullRepository({ registry, repository }: ImageRef): string {
  return registry === "docker.io" && !repository.includes("/")
    ? `library/${repository}`
    : repository;
}

/**
 * The same image in the mirror: MIRROR/REPOSITORY@DIGEST, which is also where a pull-through cache of
 * several registries has it. Images of two registries may share a repository there: their digests
 * tell them apart, and one digest is one image. An image without a digest cannot be mirrored.
 */
export function mirrored(image: ImageRef, mirror: string): ImageRef {
  const version = digestOf(image);
  if (version === undefined)
    throw new Error(`${image.repository} has no digest: only what is pinned can be mirrored`);
  const path = `${mirror}/${fullRepository(image)}`;
  const slash = path.indexOf("/");
  return { registry: path.slice(0, slash), repository: path.slice(slash + 1), version };
}

/**
 * The tag that the copy gets, since many registries delete what has none: the original's tag, if it
 * has one, and the beginning of the digest, so that it is moved by nobody.
 */
export function mirrorTag(image: ImageRef): string {
  const short = digestOf(image)?.slice("sha256:".length, "sha256:".length + 12) ?? "";
  const tag = image.version.includes("@") ? image.version.split("@")[0] : undefined;
  return tag === undefined ? short : `${tag}-${short}`;
}
