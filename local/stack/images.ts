import type { ImageKey } from "../../infra/scaffold/images.ts";
import type { ImageName, LocalImage } from "../images/index.ts";

/** Which local image serves where the program wants one. */
const sources: Record<ImageKey, ImageName> = {
  trillianLogServer: "trillian-log-server",
  trillianLogSigner: "trillian-log-signer",
  database: "services",
  netcat: "services",
  curl: "services",
  redis: "services",
  ctServer: "ct-server",
  rekorServer: "rekor",
  timestampServer: "timestamp-server",
  fulcioServer: "fulcio",
  nginx: "services",
  node: "node",
};

/** The configuration's `images` for images that were built here. */
export function localImageReferences(
  images: Readonly<Record<ImageName, LocalImage>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(sources).map(([key, name]) => [key, images[name].reference]),
  );
}
