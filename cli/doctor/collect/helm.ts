import { gunzipSync } from "node:zlib";
import * as z from "zod";
import { readManifests } from "../../../infra/scaffold/postrender/yaml.ts";
import type { ReleaseRevision } from "../evidence.ts";
import { dataOf, type KubeObject } from "../kubernetes.ts";

const record = z.object({
  name: z.string(),
  namespace: z.string(),
  version: z.int(),
  info: z.object({ status: z.string() }),
  manifest: z.string().default(""),
});

/** What the labels of Helm's Secrets say (helm, pkg/storage/driver/secrets.go). */
export function isRevision({ kind, metadata }: KubeObject): boolean {
  return kind === "Secret" && metadata.labels?.["owner"] === "helm";
}

/**
 * A revision of a Release out of the Secret `sh.helm.release.v1.NAME.vN`: Kubernetes' base64 around
 * Helm's base64 around gzip around JSON. The manifest in it is the post-rendered one.
 * @returns undefined for a Secret that cannot be read so: Helm could not either
 */
export function revisionOf(secret: KubeObject): ReleaseRevision | undefined {
  try {
    const inner = Buffer.from(dataOf(secret)["release"] ?? "", "base64").toString();
    const json = gunzipSync(Buffer.from(inner, "base64")).toString();
    const { name, namespace, version, info, manifest } = record.parse(JSON.parse(json));
    const objects = readManifests(manifest).map((object): KubeObject => ({
      ...object,
      metadata: { namespace, ...object.metadata },
    }));
    const status = secret.metadata.labels?.["status"] ?? info.status;
    return { name, namespace, revision: version, status, objects };
  } catch {
    return undefined;
  }
}
