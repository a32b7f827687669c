import type { ManagedObject } from "../evidence.ts";
import type { KubeObject, ManagedFields } from "../kubernetes.ts";

/** The managers of fields that Pulumi has written: `pulumi-kubernetes`, and with a suffix. */
const isPulumi = /^pulumi(-resource)?-kubernetes/;

/**
 * Who has written the content of a managed object since Pulumi did; undefined when nobody has. The
 * state has no content to compare with, but it knows the version of the object that it wrote.
 */
export function rewritten(
  { uid, resourceVersion, labels, annotations }: ManagedObject,
  { metadata }: KubeObject,
): string | undefined {
  if (uid === undefined || resourceVersion === undefined) return undefined;
  if (metadata.uid !== uid) return "somebody who deleted it and made it anew";
  if (metadata.resourceVersion === resourceVersion) return undefined;
  if (metadata.managedFields !== undefined) return foreignWriter(metadata.managedFields);
  // Nobody keeps count of fields: then another label explains the new version.
  const same = sameTexts(labels, metadata.labels) && sameTexts(annotations, metadata.annotations);
  return same ? "somebody else" : undefined;
}

function foreignWriter(fields: readonly ManagedFields[]): string | undefined {
  const writer = fields.find(
    ({ manager = "", fieldsV1 = {} }) => !isPulumi.test(manager) && "f:data" in fieldsV1,
  );
  if (writer === undefined) return undefined;
  return `${writer.manager}${writer.time === undefined ? "" : ` at ${writer.time}`}`;
}

function sameTexts(
  expected: Readonly<Record<string, string>>,
  live: Readonly<Record<string, string>> = {},
): boolean {
  const keys = new Set([...Object.keys(expected), ...Object.keys(live)]);
  return [...keys].every((key) => expected[key] === live[key]);
}
