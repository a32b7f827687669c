import type { ObjectApi } from "../api.ts";
import type { Repair } from "../diagnose/fault.ts";
import { at, refOf, title, type KubeObject, type Ref } from "../kubernetes.ts";

type Apply = Extract<Repair, { type: "apply" }>;

/** Applies an object of a Release as Helm's own record has it, in Helm's name. */
export async function applyObject(api: ObjectApi, { object, release }: Apply): Promise<string> {
  // Server-side apply adds a port beside one that was changed, and the server refuses both.
  const ports = at(object, "spec", "ports");
  if (object.kind === "Service") await api.merge(refOf(object), { spec: { ports } });
  await api.apply(refOf(object), marked(object, release));
  return `applied ${title(refOf(object))} as Release ${release.name} has it`;
}

/** With the marks by which Helm knows its own (helm, pkg/action/validate.go). */
function marked(object: KubeObject, release: { namespace: string; name: string }): KubeObject {
  const { labels, annotations } = object.metadata;
  const metadata = {
    ...object.metadata,
    labels: { ...labels, "app.kubernetes.io/managed-by": "Helm" },
    annotations: {
      ...annotations,
      "meta.helm.sh/release-name": release.name,
      "meta.helm.sh/release-namespace": release.namespace,
    },
  };
  return { ...object, metadata };
}

export async function resumeCronJob(api: ObjectApi, cronJob: Ref): Promise<string> {
  await api.merge(cronJob, { spec: { suspend: false } });
  return `resumed ${title(cronJob)}`;
}

/** Deletes an object that holds no secret, so that Pulumi makes it anew in the next step. */
export async function remakeObject(api: ObjectApi, object: Ref): Promise<string> {
  await api.delete(object);
  return `deleted ${title(object)}, which is made anew`;
}
