import type { ImageRef } from "../../infra/scaffold/imageRef.ts";
import { imageReference } from "../../infra/scaffold/images.ts";
import { digestOf, mirrored, mirrorTag } from "../../infra/scaffold/mirror.ts";

/** Programs that copy an image of several platforms without changing a byte of it. */
export const copyTools = ["crane", "skopeo"] as const;
export type CopyTool = (typeof copyTools)[number];

const commands: Readonly<Record<CopyTool, (from: string, to: string) => string>> = {
  crane: (from, to) => `crane copy ${from} ${to}`,
  // Without the second flag it may write manifests anew, under digests that nobody has pinned.
  skopeo: (from, to) => `skopeo copy --all --preserve-digests docker://${from} docker://${to}`,
};

/** skopeo takes no reference with both a tag and a digest. */
const source = (image: ImageRef): string =>
  imageReference({ ...image, version: digestOf(image) ?? image.version });

/** Where the copy goes: the mirror's repository, under a tag that keeps it there. */
function target(image: ImageRef, mirror: string): string {
  return imageReference({ ...mirrored(image, mirror), version: mirrorTag(image) });
}

/** The command that brings an image, pinned by digest, into the mirror; run in any shell. */
export function copyCommand(image: ImageRef, mirror: string, tool: CopyTool): string {
  return commands[tool](source(image), target(image, mirror));
}
