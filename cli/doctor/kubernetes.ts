/** A Kubernetes object as its API sends it: JSON, with the fields that are read here typed. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    managedFields?: ManagedFields[];
  };
  [field: string]: unknown;
}

/** Who has set which fields (Kubernetes API, ManagedFieldsEntry). */
export interface ManagedFields {
  manager?: string;
  time?: string;
  fieldsV1?: Record<string, unknown>;
}

/** What names an object; the namespace is empty for kinds without one. */
export interface Ref {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
}

export function refOf({ apiVersion, kind, metadata }: KubeObject): Ref {
  return { apiVersion, kind, namespace: metadata.namespace ?? "", name: metadata.name };
}

/** `Secret sigstore-fulcio/fulcio-signer-1a2b`: an object as people name it, unique in a stack. */
export function title({ kind, namespace, name }: Ref): string {
  return `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What lies at a path of field names; undefined when there is nothing. */
export function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((here, key) => (isRecord(here) ? here[key] : undefined), value);
}

/** The texts of an object's `data`; none for other kinds. */
export function dataOf(object: KubeObject): Record<string, string> {
  const data = object["data"];
  if (!isRecord(data)) return {};
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) =>
      typeof value === "string" ? [[key, value]] : [],
    ),
  );
}
