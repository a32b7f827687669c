import { samples } from "../../support/scaffoldSamples.ts";
import type { Manifest } from "../../../infra/scaffold/postrender/manifest.ts";
import { postrenderPath } from "../../../infra/scaffold/postrenderFiles.ts";
import { projectDir } from "./helm.ts";

/** The chart that stands in for scaffold, as a path from the project's folder. */
export const standIn = "./local/chart/scaffold";
export const postrender = postrenderPath(projectDir);

/** Every Release of every sample. */
export const cases = Object.entries(samples).flatMap(([exposure, list]) =>
  list.map((sample) => ({ title: `${sample.release}, ${exposure}`, exposure, sample })),
);

const key = ({ kind, metadata }: Manifest) =>
  `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;

/** Objects by `Kind namespace/name`. */
export const byKey = (manifests: readonly Manifest[]) =>
  Object.fromEntries(manifests.map((manifest) => [key(manifest), manifest]));
