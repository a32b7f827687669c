import { ApiError } from "../../../local/pulumi/kubernetes/cluster.ts";
import { isObject, objectAt, textAt, type Props } from "../../../local/pulumi/values.ts";

/**
 * The object of a PUT; a field that it leaves out altogether keeps its value.
 * @throws {ApiError} 409 when it was made from an older version of the object
 */
export function replaced(live: Props, given: Props): Props {
  refuseStale(live, given);
  return { ...given, metadata: serverFields(live, given) };
}

/**
 * The object after a PATCH. For the kinds that are patched here (string maps such as a ConfigMap's
 * data) a strategic merge and a server-side apply do what a JSON merge patch (RFC 7386) does.
 * @throws {ApiError} 409 for a stale resourceVersion, 415 for a JSON patch
 */
export function patched(live: Props, contentType: string, change: Props): Props {
  if (!/^application\/(merge-patch|strategic-merge-patch|apply-patch)\+/.test(contentType)) {
    throw new ApiError(415, "UnsupportedMediaType", `the stand-in does not know "${contentType}"`);
  }
  refuseStale(live, change);
  const merged = merge(live, change);
  return { ...merged, metadata: serverFields(live, merged) };
}

function refuseStale(live: Props, given: Props): void {
  const version = textAt(given, "metadata", "resourceVersion");
  if (version === "" || version === textAt(live, "metadata", "resourceVersion")) return;
  const name = textAt(live, "metadata", "name");
  throw new ApiError(409, "Conflict", `the object "${name}" has been modified; apply your changes`);
}

function serverFields(live: Props, given: Props): Props {
  const { name, namespace, uid, creationTimestamp } = objectAt(live, "metadata");
  const own = { name, namespace, uid, creationTimestamp };
  const present = Object.entries(own).filter(([, value]) => value !== undefined);
  return { ...objectAt(given, "metadata"), ...(Object.fromEntries(present) as Props) };
}

function merge(into: Props, change: Props): Props {
  const result = { ...into };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key];
    else result[key] = isObject(value) ? merge(objectAt(into, key), value) : value;
  }
  return result;
}
