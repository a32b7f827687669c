import {
  imageReference,
  publishedImages,
  selectImages,
  type ImageKey,
} from "../../infra/scaffold/images.ts";
import { reencrypts } from "../../infra/config/exposure.ts";
import { imageUses, tlsProxyUses, type ImageUse } from "../../infra/scaffold/imageUses.ts";
import type { ImageConfig } from "./stack.ts";

/** An image of a stack, as `--json` prints it. */
export interface ImageRow {
  /** Its name in `anchorhold:images`. */
  name: ImageKey;
  component: string;
  /** By digest; under localhost/ it may be by content hash. */
  image: string;
  /** The published image, which this one is, or stands in for. */
  published: string;
  /** Whether it is in the mirror, so that somebody has to copy it there. */
  fromMirror: boolean;
  /** See `ImageUse`. */
  pods: readonly string[];
  /** Where it runs besides. */
  alsoIn?: readonly ImageUse[];
}

/** Every image of a stack, from the tables that the program itself uses. */
export function imageRows({ images: own, mirror, exposure }: ImageConfig): ImageRow[] {
  const chosen = selectImages(own, mirror);
  const isTlsToPods = exposure !== undefined && reencrypts(exposure);
  return (Object.keys(chosen) as ImageKey[]).map((name) => ({
    name,
    component: imageUses[name].component,
    image: imageReference(chosen[name]),
    published: imageReference(publishedImages[name]),
    fromMirror: mirror !== undefined && !Object.hasOwn(own, name),
    pods: imageUses[name].pods,
    ...(name === "nginx" && isTlsToPods ? { alsoIn: tlsProxyUses } : {}),
  }));
}

const heads = ["COMPONENT", "NAME", "RUNS IN", "IMAGE"] as const;

/** One line for each pod that runs an image, in columns. */
export function rowsTable(rows: readonly ImageRow[]): string {
  const lines = rows.flatMap(({ name, image, component, pods, alsoIn = [] }) =>
    [{ component, pods }, ...alsoIn].flatMap((use) =>
      use.pods.map((pod) => [use.component, name, pod, image]),
    ),
  );
  const all = [[...heads], ...lines];
  const widths = heads.map((_, column) =>
    Math.max(...all.map((cells) => cells[column]?.length ?? 0)),
  );
  return all
    .map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => line.trimEnd())
    .join("\n");
}
