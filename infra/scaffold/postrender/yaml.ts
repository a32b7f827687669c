import { parseAllDocuments, type Tags } from "yaml";
import type { Manifest } from "./manifest.ts";

/** Helm reads YAML 1.1 without its times: `0666` is octal, `12:30` and `2026-01-01` are text. */
function helmTags(tags: Tags): Tags {
  return tags.filter(
    (tag) =>
      typeof tag === "string" ||
      !(("format" in tag && tag.format === "TIME") || tag.tag === "tag:yaml.org,2002:timestamp"),
  );
}

function isManifest(value: unknown): value is Manifest {
  const { apiVersion, kind, metadata } = value as Partial<Manifest>;
  return (
    typeof apiVersion === "string" && typeof kind === "string" && typeof metadata?.name === "string"
  );
}

/**
 * Reads rendered manifests; empty documents are left out.
 * @throws Error when a document is no YAML or no Kubernetes object with a name
 */
export function readManifests(text: string): Manifest[] {
  const documents = parseAllDocuments(text, { version: "1.1", customTags: helmTags });
  return [...documents].flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(`the chart renders no YAML: ${error.message}`);
    const value: unknown = document.toJS();
    if (value === null || value === undefined) return [];
    if (typeof value === "object" && isManifest(value)) return [value];
    throw new Error(`the chart renders what is no Kubernetes object: ${JSON.stringify(value)}`);
  });
}

/** Documents in JSON, which is YAML without any question of quoting. */
export function writeManifests(manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => `---\n${JSON.stringify(manifest, null, 2)}\n`).join("");
}
