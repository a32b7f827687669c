import type { ObjectApi } from "../api.ts";
import type { Evidence, ReleaseRevision, StackState } from "../evidence.ts";
import { refOf, title, type KubeObject, type Ref } from "../kubernetes.ts";
import { isRevision, revisionOf } from "./helm.ts";
import { secretFacts, withoutData } from "./secrets.ts";

/** The objects that the state and Helm's records name, as they are in the cluster. */
export async function collectObjects(
  api: ObjectApi,
  { releases, objects }: StackState,
): Promise<Pick<Evidence, "revisions" | "live" | "secrets">> {
  const managed = objects.map(({ expected }) => refOf(expected));
  const spaces = new Set([...releases, ...managed].map(({ namespace }) => namespace));
  const secrets = await listAll(api, [...spaces].filter((name) => name !== "").map(secretsOf));
  const revisions = secrets
    .filter(isRevision)
    .flatMap((secret) => revisionOf(secret) ?? [])
    .filter((revision) => releases.some((release) => isOf(revision, release)));
  const wanted = [...managed, ...revisions.flatMap((revision) => revision.objects.map(refOf))];
  const others = await listAll(
    api,
    wanted.filter(({ kind }) => kind !== "Secret"),
  );
  const names = new Set(wanted.map(title));
  const found = [...secrets, ...others].filter((object) => names.has(title(refOf(object))));
  const byTitle = <T>(list: readonly KubeObject[], make: (object: KubeObject) => T) =>
    Object.fromEntries(list.map((object) => [title(refOf(object)), make(object)]));
  const isSecret = ({ kind }: KubeObject) => kind === "Secret";
  return {
    revisions,
    live: byTitle(found, (object) => (isSecret(object) ? withoutData(object) : object)),
    secrets: byTitle(found.filter(isSecret), secretFacts),
  };
}

const secretsOf = (namespace: string): Ref => ({
  apiVersion: "v1",
  kind: "Secret",
  namespace,
  name: "",
});

function isOf(revision: ReleaseRevision, release: { namespace: string; name: string }): boolean {
  return revision.namespace === release.namespace && revision.name === release.name;
}

/** One list a kind and namespace; objects without a namespace one by one. */
async function listAll(api: ObjectApi, refs: readonly Ref[]): Promise<KubeObject[]> {
  const inside = new Map(
    refs
      .filter(({ namespace }) => namespace !== "")
      .map((ref) => [`${ref.apiVersion} ${ref.kind} ${ref.namespace}`, ref]),
  );
  const lists = await Promise.all([
    ...[...inside.values()].map((ref) => api.list(ref.apiVersion, ref.kind, ref.namespace)),
    ...refs
      .filter(({ namespace }) => namespace === "")
      .map(async (ref) => {
        const object = await api.get(ref);
        return object === undefined ? [] : [object];
      }),
  ]);
  return lists.flat();
}
