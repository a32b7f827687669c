import { existsSync, readFileSync } from "node:fs";
import type { Rungs } from "../ladder/rungs.ts";
import { choicesFile } from "./environment.ts";
import type { TrustLines } from "./generations.ts";

/** What this machine puts in place of the committed configuration's values, and why it is so. */
export interface Choices {
  /** What each need of `npm start` was met with, so that a later start does the same. */
  rungs?: Rungs;
  /** The context of the caller's kubeconfig, when the cluster is one of those. */
  context?: string;
  /** A chart's folder; the repository if left out. */
  chartPath?: string;
  /** A chart repository in place of the committed one. */
  chartRepository?: string;
  /** Image references by key; the published ones if left out. */
  images?: Record<string, string>;
  /** Where the cluster's API listens behind its Service, if no cluster elsewhere does there. */
  apiServerPort?: number;
  /** Generations that were rotated here, by kind. */
  trust?: TrustLines;
}

/** What was chosen when the stack was brought up; undefined before that. */
export function knownChoices(): Choices | undefined {
  if (!existsSync(choicesFile)) return undefined;
  return JSON.parse(readFileSync(choicesFile, "utf8")) as Choices;
}
