import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyCommand } from "../../cli/images/copy.ts";
import type { ImageRef } from "../../infra/scaffold/imageRef.ts";
import { imageReference, parseImage } from "../../infra/scaffold/images.ts";
import { mirrored } from "../../infra/scaffold/mirror.ts";
import { ensureTools } from "../../local/tools/index.ts";
import { mustRun } from "./support/process.ts";
import { startRegistry, type Registry } from "./support/registry.ts";

// What `anchorhold images --mirror` prints, run by a shell between two registries. No stack is needed.
let crane: string;
let folder: string;
let published: Registry;
let mirror: Registry;

beforeAll(async () => {
  crane = (await ensureTools(["crane"], (line) => console.log(line)))["crane"]!;
  folder = await mkdtemp(join(tmpdir(), "anchorhold-copy-"));
  [published, mirror] = await Promise.all([startRegistry(crane), startRegistry(crane)]);
});
afterAll(async () => {
  await Promise.all([published.close(), mirror.close()]);
  await rm(folder, { recursive: true });
});

/** Publishes an image of two platforms and returns its reference, pinned by the index's digest. */
async function publish(name: string): Promise<ImageRef> {
  const tag = `${published.host}/${name}:v1`;
  const manifests: string[] = [];
  for (const architecture of ["amd64", "arm64"]) {
    await writeFile(join(folder, "file"), architecture);
    await mustRun("tar", ["-cf", join(folder, "layer.tar"), "-C", folder, "file"]);
    const layer = ["--new_layer", join(folder, "layer.tar"), "--platform", `linux/${architecture}`];
    const pushed = await mustRun(crane, ["append", "--oci-empty-base", ...layer, "-t", tag]);
    manifests.push("-m", pushed.trim());
  }
  const index = await mustRun(crane, ["index", "append", ...manifests, "-t", tag]);
  return parseImage(index.trim().replace("@", ":v1@"));
}

test("a copied image is in the mirror with every platform, where the program looks for it", async () => {
  const image = await publish("team/app");
  const place = `${mirror.host}/sigstore`;
  const command = copyCommand(image, place, "crane").replace("crane", crane);
  await mustRun("sh", ["-c", command]);
  const [original, copy] = [image, mirrored(image, place)].map(imageReference);
  const index = await mustRun(crane, ["manifest", copy!]);
  expect(index).toBe(await mustRun(crane, ["manifest", original!]));
  const { manifests } = JSON.parse(index) as { manifests: { digest: string }[] };
  expect(manifests).toHaveLength(2);
  for (const { digest } of manifests)
    await mustRun(crane, ["validate", "--remote", `${copy!.split("@")[0]}@${digest}`]);
});
