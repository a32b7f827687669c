// The archive that `docker save` writes and containerd imports: manifest.json names the image's
// configuration and its layers (moby, image/spec/spec.md, "Combined Image JSON + Filesystem
// Changeset Format").
import { createHash } from "node:crypto";
import { addFile, hashFile, writeTar } from "./layer.ts";

/** How a container of the image starts by default. */
export interface ImageDefaults {
  entrypoint: readonly string[];
  /** "uid:gid"; numbers, since images without a password file know no names. */
  user: string;
}

/** Go's names of the processor architectures, which images use too. */
const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The image's configuration (OCI image-spec, config.md), as JSON with a fixed order.
 * @param layerHashes SHA-256 of each uncompressed layer in hex, the lowest first
 */
export function imageConfig(
  { entrypoint, user }: ImageDefaults,
  layerHashes: readonly string[],
  architecture: string = process.arch,
): string {
  return JSON.stringify({
    architecture: architectures[architecture] ?? architecture,
    config: { Entrypoint: entrypoint, Env: [`PATH=${path}`], User: user },
    created: "1970-01-01T00:00:00Z",
    os: "linux",
    rootfs: { type: "layers", diff_ids: layerHashes.map((hash) => `sha256:${hash}`) },
  });
}

/**
 * The hash by which the image is called: the configuration names every layer's hash, so it
 * stands for all of the content. 128 bits in hex: a valid tag, and a valid label value.
 */
export function contentVersion(config: string): string {
  return createHash("sha256").update(config).digest("hex").slice(0, 32);
}

/**
 * Writes an image archive of finished layers.
 * @param repository e.g. "localhost/anchorhold/fulcio"
 * @returns the image's version, its content hash
 */
export async function writeArchive(
  file: string,
  repository: string,
  defaults: ImageDefaults,
  layers: readonly string[],
): Promise<string> {
  const hashes: string[] = [];
  for (const layer of layers) hashes.push(await hashFile(layer));
  const config = imageConfig(defaults, hashes);
  const version = contentVersion(config);
  const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
  const manifest = [
    {
      Config: configName,
      RepoTags: [`${repository}:${version}`],
      Layers: hashes.map((hash) => `${hash}.tar`),
    },
  ];
  await writeTar(file, async (archive) => {
    const mtime = new Date(0);
    archive.entry({ name: "manifest.json", mtime }, JSON.stringify(manifest));
    archive.entry({ name: configName, mtime }, config);
    for (const [index, layer] of layers.entries()) {
      await addFile(archive, { name: `${hashes[index]!}.tar` }, layer);
    }
  });
  return version;
}
