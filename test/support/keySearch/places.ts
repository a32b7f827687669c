import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "./search.ts";

/**
 * Every file in a folder, and the folders in it.
 *
 * @param skip names of files and folders that are left out, with all that is in them
 */
export function* filesUnder(folder: string, skip: readonly string[] = []): Generator<Place> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (skip.includes(path)) continue;
    const kind = lstatSync(path);
    if (kind.isDirectory()) yield* filesUnder(path, skip);
    else if (kind.isFile()) yield { where: `file ${path}`, bytes: readFileSync(path) };
  }
}

/** A Kubernetes object as the API gives it. */
export interface KubernetesObject {
  kind?: string;
  metadata?: { name?: string; namespace?: string };
  data?: Record<string, unknown>;
  [field: string]: unknown;
}

/**
 * A Kubernetes object as places: a Secret's keys one by one, because some may hold secrets and some
 * may not; what else it has, and any other object, as a whole.
 */
export function* objectPlaces(object: KubernetesObject): Generator<Place> {
  const { kind = "object", metadata: { name = "", namespace = "" } = {}, ...rest } = object;
  const where = `${kind} ${namespace}/${name}`;
  if (kind !== "Secret") {
    yield { where, bytes: Buffer.from(JSON.stringify(object)) };
    return;
  }
  const { data = {}, ...others } = rest;
  yield { where, bytes: Buffer.from(JSON.stringify([object.metadata, others])) };
  for (const [key, value] of Object.entries(data))
    yield { where: `${where} ${key}`, bytes: Buffer.from(String(value)) };
}
